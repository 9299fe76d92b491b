"""Sessions as a thief of a cookie meets them: signing out, time, the administrator and other devices end them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
import pytest

from services.console.app.create_user import Role, provision_user
from services.console.app.disable_user import disable_user
from services.console.app.end_sessions import end_sessions
from services.console.app.ensure_user import ensure_user
from shared.db.engine import Database
from tests.integration.console.test_pages import TOKEN, form_token, plain_client, sign_in
from tests.support.console import PASSWORD, create_console, create_user

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def site(console_url: str) -> httpx.ASGITransport:
    return httpx.ASGITransport(app=create_console(console_url), client=("192.0.2.1", 4000))


@asynccontextmanager
async def signed_in(site: httpx.ASGITransport, name: str = "admin") -> AsyncIterator[httpx.AsyncClient]:
    async with plain_client(site) as client:
        assert (await sign_in(client, name)).status_code == 303
        yield client


def copied(client: httpx.AsyncClient) -> dict[str, str]:
    return {"cookie": f"fenghuo_session={client.cookies['fenghuo_session']}"}


async def status_with(site: httpx.ASGITransport, cookie: dict[str, str]) -> int:
    async with plain_client(site) as thief:
        return (await thief.get("/", headers=cookie)).status_code


async def test_a_copied_cookie_is_worth_nothing_after_signing_out(
    site: httpx.ASGITransport, console_database: Database
) -> None:
    await create_user(console_database)
    async with signed_in(site) as browser, signed_in(site) as other:
        stolen = copied(browser)
        assert await status_with(site, stolen) == 200
        await browser.post("/logout", data={"csrf": await form_token(browser)})
        assert await status_with(site, stolen) == 303
        assert (await other.get("/")).status_code == 200, "another device stays signed in"


async def test_signing_out_everywhere_ends_every_session_of_this_person_only(
    site: httpx.ASGITransport, console_database: Database
) -> None:
    await create_user(console_database)
    await create_user(console_database, "operator", "operator")
    async with signed_in(site) as browser, signed_in(site) as other, signed_in(site, "operator") as somebody:
        page = await browser.get("/account")
        assert page.text.count('<tr class="session"') == 2
        answer = await browser.post("/logout", data={"csrf": await form_token(browser), "everywhere": "1"})
        assert answer.status_code == 303
        assert await status_with(site, copied(other)) == 303
        assert (await somebody.get("/")).status_code == 200


async def test_signing_in_again_ends_the_session_the_browser_had(
    site: httpx.ASGITransport, console_database: Database
) -> None:
    await create_user(console_database)
    async with signed_in(site) as browser:
        before = copied(browser)
        assert (await sign_in(browser)).status_code == 303
        assert await status_with(site, before) == 303
        assert (await browser.get("/")).status_code == 200


async def test_a_session_ends_by_itself(site: httpx.ASGITransport, console_database: Database) -> None:
    await create_user(console_database)
    async with signed_in(site) as browser:
        async with console_database.transaction() as tx:
            row = await tx.fetch_one("SELECT opened_at, expires_at FROM sessions")
            assert row is not None
            assert row["expires_at"] - row["opened_at"] == timedelta(hours=12)
            await tx.execute("UPDATE sessions SET expires_at = :now", now=tx.now)
        assert (await browser.get("/")).status_code == 303


async def test_what_the_database_keeps_does_not_let_anyone_in(
    site: httpx.ASGITransport, console_database: Database
) -> None:
    await create_user(console_database)
    async with signed_in(site) as browser:
        async with console_database.transaction() as tx:
            row = await tx.fetch_one("SELECT to_jsonb(sessions.*)::text AS whole FROM sessions")
        assert row is not None
        assert browser.cookies["fenghuo_session"].split(".")[0] not in row["whole"]


async def test_a_person_keeps_twenty_sessions_and_the_oldest_gives_way(
    site: httpx.ASGITransport, console_database: Database
) -> None:
    await create_user(console_database)
    async with signed_in(site) as first, signed_in(site) as last:
        async with console_database.transaction() as tx:
            await tx.execute(
                "INSERT INTO sessions (digest, name, fingerprint, address, opened_at, expires_at) "
                "SELECT sha256(CAST(n AS text)::bytea), 'admin', '', '', :now, :end FROM generate_series(1, 25) AS n",
                now=tx.now,
                end=tx.now + timedelta(hours=1),
            )
        assert (await sign_in(last)).status_code == 303
        async with console_database.transaction() as tx:
            row = await tx.fetch_one("SELECT count(*) AS n FROM sessions")
        assert row is not None
        assert row["n"] == 20
        assert await status_with(site, copied(first)) == 303
        assert (await last.get("/")).status_code == 200


@pytest.mark.parametrize("how", ["disabled", "signed out", "password", "role"])
async def test_an_administrator_ends_sessions(site: httpx.ASGITransport, console_database: Database, how: str) -> None:
    await create_user(console_database, "operator", "operator")
    async with signed_in(site, "operator") as browser:
        if how == "disabled":
            assert await disable_user("operator", database=console_database)
        elif how == "signed out":
            assert await end_sessions("operator", database=console_database) == 1
        elif how == "password":
            await provision_user(console_database, "operator", "another password", "operator")
        else:
            await provision_user(console_database, "operator", PASSWORD, "viewer")
        assert (await browser.get("/")).status_code == 303
        assert (await sign_in(browser, "operator")).status_code == (303 if how in {"signed out", "role"} else 401)


async def test_whoever_was_removed_may_come_back_with_a_new_password_but_not_with_an_old_session(
    site: httpx.ASGITransport, console_database: Database
) -> None:
    await create_user(console_database, "operator", "operator")
    async with signed_in(site, "operator") as browser:
        old = copied(browser)
        await disable_user("operator", database=console_database)
        assert not await disable_user("operator", database=console_database)
        await create_user(console_database, "operator", "operator")
        assert await status_with(site, old) == 303


async def test_only_the_persons_own_form_signs_out_everywhere(
    site: httpx.ASGITransport, console_database: Database
) -> None:
    await create_user(console_database)
    async with signed_in(site) as browser:
        answer = await browser.post("/logout", data={"csrf": "0" * 64, "everywhere": "1"})
        assert answer.status_code == 403
        assert (await browser.get("/")).status_code == 200
        assert TOKEN.search((await browser.get("/account")).text)


async def test_a_restart_signs_nobody_out_and_lets_nobody_disabled_in_again(
    site: httpx.ASGITransport, console_database: Database
) -> None:
    async def start(password: str = PASSWORD) -> None:
        await ensure_user(console_database, "admin", password, Role.ADMIN, org="demo")

    await start()
    async with signed_in(site) as browser:
        await start()
        assert (await browser.get("/")).status_code == 200
        await start("another password of the installation")
        assert (await browser.get("/")).status_code == 303, "the installation's new password is the one that counts"
        await disable_user("admin", database=console_database)
        await start("another password of the installation")
        assert (await sign_in(browser, password="another password of the installation")).status_code == 401
