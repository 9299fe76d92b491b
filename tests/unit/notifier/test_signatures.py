"""Requests are signed as the providers' own published examples are."""

from datetime import UTC, datetime

from services.notifier.domain.signatures import acs3_query, sign_acs3, sign_dingtalk, sign_feishu, sign_tc3


def test_tencents_published_example() -> None:
    body = rb'{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}'
    signed = sign_tc3(
        body,
        host="cvm.tencentcloudapi.com",
        service="cvm",
        content_type="application/json; charset=utf-8",
        secret_id="AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE",
        secret_key="Gu5t9xGARNpq86cd98joQYCN3EXAMPLE",
        now=datetime.fromtimestamp(1551113065, UTC),
    )
    assert signed == {
        "Authorization": "TC3-HMAC-SHA256 Credential=AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE/2019-02-25/cvm/tc3_request, "
        "SignedHeaders=content-type;host, "
        "Signature=72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168",
        "X-TC-Timestamp": "1551113065",
    }


def test_alibabas_published_example() -> None:
    headers = sign_acs3(
        {"RegionId": "cn-shanghai", "ImageId": "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"},
        b"",
        host="ecs.cn-shanghai.aliyuncs.com",
        action="RunInstances",
        version="2014-05-26",
        nonce="3156853299f313e23d1673dc12e1703d",
        key_id="YourAccessKeyId",
        key_secret="YourAccessKeySecret",
        now=datetime(2023, 10, 26, 10, 22, 32, tzinfo=UTC),
    )
    assert headers["Authorization"] == (
        "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;"
        "x-acs-signature-nonce;x-acs-version,"
        "Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    )
    assert headers["x-acs-date"] == "2023-10-26T10:22:32Z"


def test_a_query_is_encoded_as_it_is_signed() -> None:
    assert acs3_query({"b": "a b*~+", "a": "签名"}) == "a=%E7%AD%BE%E5%90%8D&b=a%20b%2A~%2B"


def test_the_signatures_of_robots_are_keyed_the_way_each_platform_wants() -> None:
    # Computed with `openssl dgst -sha256 -hmac`, once with the secret as key and once with the text as key.
    now = datetime.fromtimestamp(1_700_000_000, UTC)
    assert sign_dingtalk("SECexample", now) == {
        "timestamp": "1700000000000",
        "sign": "uroalHrWHORz59talE1o26b8HuX2kOp8WlAN91F9Pj0=",
    }
    assert sign_feishu("SECexample", now) == {
        "timestamp": "1700000000",
        "sign": "giaCP81WKcKmxS0uSLlrqVVwRIDJGES6GpFgEr4g4C4=",
    }
