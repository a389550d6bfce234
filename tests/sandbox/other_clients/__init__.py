"""The HTTP calls of other clients of MailUp, in each client's own way, and what it reads from the answers.

`call` says what a call is and makes it; `gem`, `samples` and `community` hold the calls, as the clients' public code
makes them. None of that code is copied. The client mailupy is run itself: see `test_mailupy.py`.

What is left out: MailUp's samples have a form in which XML can be chosen, but the sandbox answers JSON alone; and
mailup-lib's renewal promises a body that it doesn't send, so that request never ends.
"""
