"""Client registrations: stored here, used as OAuth clients, and set aside while MailUp refuses them.

store            find, register, clear_refusal
oauth            the OAuth client of a registration, and token calls in its name
circuit_breaker  which calls may be made while MailUp refuses a client
"""
