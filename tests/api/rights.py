"""Who may knock at which door: every route of the application, and the roles it does not refuse with 401 or 403.

Written out, not computed from the rights, so that a change of either shows.
"""

OPERATOR, LIGHT, SUPERVISOR, ADMIN, INTEGRATOR, OPS = "olha", "light", "supervisor", "admin", "integrator", "ops"
PEOPLE = (OPERATOR, LIGHT, SUPERVISOR, ADMIN, INTEGRATOR, OPS)

EVERYBODY = frozenset(PEOPLE)
#: needs no sign-in at all
PUBLIC = frozenset({*PEOPLE, "nobody"})
ADMINS = frozenset({ADMIN})
LEADERS = frozenset({ADMIN, SUPERVISOR})
INTEGRATORS = frozenset({ADMIN, INTEGRATOR})
WORKERS = frozenset({ADMIN, SUPERVISOR, OPERATOR})
TALKERS = WORKERS | {LIGHT}
READERS = TALKERS | {OPS}
HISTORIANS = LEADERS | {OPS}

ID = "0195f3a0-0000-7000-8000-000000000000"

ROUTES: dict[str, frozenset[str]] = {
    "GET /healthz": PUBLIC,
    "GET /readyz": PUBLIC,
    "POST /session": PUBLIC,
    "DELETE /session": EVERYBODY,
    "GET /me": EVERYBODY,
    "PATCH /me/preferences": EVERYBODY,
    "GET /tokens": EVERYBODY,
    "GET /tokens/{token_id}": EVERYBODY,
    "POST /tokens": EVERYBODY,
    "DELETE /tokens/{token_id}": EVERYBODY,
    "GET /users": ADMINS,
    "GET /users/{user_id}": ADMINS,
    "POST /users": ADMINS,
    "PATCH /users/{user_id}": ADMINS,
    "DELETE /users/{user_id}": ADMINS,
    "GET /roles": ADMINS,
    "GET /roles/{key}": ADMINS,
    "POST /roles": ADMINS,
    "PATCH /roles/{key}": ADMINS,
    "DELETE /roles/{key}": ADMINS,
    "GET /settings": ADMINS,
    "GET /settings/{key}": ADMINS,
    "POST /settings": ADMINS,
    "PATCH /settings/{key}": ADMINS,
    "DELETE /settings/{key}": ADMINS,
    "GET /channels": INTEGRATORS,
    "GET /channels/{key}": INTEGRATORS,
    "POST /channels": INTEGRATORS,
    "PATCH /channels/{key}": INTEGRATORS,
    "POST /channels/{key}/token": INTEGRATORS,
    "DELETE /channels/{key}": INTEGRATORS,
    "GET /teams": EVERYBODY,
    "GET /teams/{key}": EVERYBODY,
    "POST /teams": ADMINS,
    "PATCH /teams/{key}": LEADERS,
    "DELETE /teams/{key}": ADMINS,
    "GET /topics": EVERYBODY,
    "GET /topics/{key}": EVERYBODY,
    "POST /topics": ADMINS,
    "PATCH /topics/{key}": ADMINS,
    "DELETE /topics/{key}": ADMINS,
    "GET /tags": EVERYBODY,
    "GET /tags/{key}": EVERYBODY,
    "POST /tags": ADMINS,
    "PATCH /tags/{key}": ADMINS,
    "DELETE /tags/{key}": ADMINS,
    "GET /contacts/{contact_id}": TALKERS,
    "PUT /contacts/{contact_id}/ban": LEADERS,
    "DELETE /contacts/{contact_id}/ban": LEADERS,
    "PUT /contacts/{contact_id}/tags/{tag}": WORKERS,
    "DELETE /contacts/{contact_id}/tags/{tag}": WORKERS,
    "POST /attachments": TALKERS,
    "GET /attachments/{attachment_id}": TALKERS,
    "POST /dialogs/{dialog_id}/messages": WORKERS,
    "POST /dialogs/{dialog_id}/take": WORKERS,
    "POST /dialogs/{dialog_id}/assignment": LEADERS,
    "DELETE /dialogs/{dialog_id}/assignment": WORKERS,
    "POST /dialogs/{dialog_id}/closure": WORKERS,
    "POST /dialogs/{dialog_id}/reopening": WORKERS,
    "POST /dialogs/{dialog_id}/transfers": WORKERS,
    "POST /dialogs/{dialog_id}/connection": INTEGRATORS,
    "PUT /dialogs/{dialog_id}/participants/{operator}": WORKERS,
    "DELETE /dialogs/{dialog_id}/participants/{operator}": WORKERS,
    "PUT /dialogs/{dialog_id}/topic": WORKERS,
    "PUT /dialogs/{dialog_id}/tags/{tag}": WORKERS,
    "DELETE /dialogs/{dialog_id}/tags/{tag}": WORKERS,
    "PUT /dialogs/{dialog_id}/priority": WORKERS,
    "PUT /dialogs/{dialog_id}/status": WORKERS,
    "POST /transfers/{transfer_id}/acceptance": WORKERS,
    "POST /transfers/{transfer_id}/decline": WORKERS,
    "POST /transfers/{transfer_id}/cancellation": WORKERS,
    "GET /transfers": READERS,
    "GET /transfers/{transfer_id}": READERS,
    "GET /commands/{key}": EVERYBODY,
    "GET /dialogs": READERS,
    "GET /dialogs/{dialog_id}": READERS,
    "GET /dialogs/{dialog_id}/messages": READERS,
    "GET /dialogs/{dialog_id}/timeline": READERS,
    "GET /dialogs/{dialog_id}/decisions": READERS,
    "GET /dialogs/{dialog_id}/history": HISTORIANS,
    "GET /transfers/{transfer_id}/history": HISTORIANS,
    "GET /operators/{operator_id}/presence/history": HISTORIANS,
    "GET /runs": HISTORIANS,
    "GET /runs/{run_id}/history": HISTORIANS,
    "GET /queue": WORKERS | {OPS},
    "GET /distribution/audit": HISTORIANS,
    "GET /operators": READERS,
    "GET /operators/{operator_id}": READERS,
    "GET /operators/{operator_id}/diagnosis": HISTORIANS,
    "PUT /operators/me/presence": TALKERS,
    "POST /operators/me/heartbeat": TALKERS,
    "PUT /operators/{operator_id}/presence": LEADERS,
    "GET /events": EVERYBODY,
    "GET /events/log": HISTORIANS,
}
#: these ask for a secret of their own instead of a sign-in
BY_OTHER_MEANS = {"POST /channels/{channel}/inbound"}

#: bodies that pass the door's own check, where it looks at the body before the right
BODIES: dict[str, dict[str, object]] = {
    "POST /dialogs/{dialog_id}/messages": {"mode": "reply", "text": "good day"},
    "POST /dialogs/{dialog_id}/assignment": {"operator_id": ID},
    "POST /dialogs/{dialog_id}/transfers": {"to_team": "sales"},
    "POST /dialogs/{dialog_id}/connection": {},
    "PUT /dialogs/{dialog_id}/topic": {"topic": "payment"},
    "PUT /dialogs/{dialog_id}/priority": {"priority": "high"},
    "PUT /dialogs/{dialog_id}/status": {"status": "pending"},
    "PATCH /teams/{key}": {"auto": True},
}
