"""A place where outgoing mail and SMS arrive and can be read, instead of reaching people.

One process with two real doors: an SMTP server, and an SMS gateway that speaks the HTTP interface of Kannel's smsbox
(`/cgi-bin/sendsms`, delivery receipts by calling `dlr-url`, replies from phones by calling a configured address). What
arrived is read at `/messages`; how the sink treats a recipient is scripted at `/behaviour`.
"""
