"""Refusals of the domain: each has a stable `code`; what status it travels as is decided in api/errors.py."""

from typing import Any, ClassVar


class DomainError(Exception):
    """A rule said no. `detail` is the truth a person can act on; `extra` are facts for programs (JSON values)."""

    code: ClassVar[str] = "refused"
    title: ClassVar[str] = "Refused"

    def __init__(self, detail: str, /, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra = extra


class ForbiddenError(DomainError):
    code = "forbidden"
    title = "Not allowed"


class NotYoursError(ForbiddenError):
    code = "not_yours"
    title = "The dialog is not yours"


class NotFoundError(DomainError):
    code = "not_found"
    title = "Not found"


class InvalidError(DomainError):
    code = "invalid"
    title = "Invalid request"


class KeyReusedError(DomainError):
    code = "key_reused"
    title = "Idempotency key reused with another request"


class CommandExpiredError(DomainError):
    code = "command_expired"
    title = "The command could not be carried out in time and never will be"


class AlreadyTakenError(DomainError):
    code = "already_taken"
    title = "Already taken"


class NotTakenError(DomainError):
    code = "not_taken"
    title = "The dialog waits for an operator"


class DialogClosedError(DomainError):
    code = "dialog_closed"
    title = "The dialog is closed"


class DialogOpenError(DomainError):
    code = "dialog_open"
    title = "The dialog is open"


class AnotherDialogOpenError(DomainError):
    code = "another_dialog_open"
    title = "The client has another open dialog in this channel"


class WrongStatusError(DomainError):
    code = "wrong_status"
    title = "The status does not allow this"


class AtCapacityError(DomainError):
    code = "at_capacity"
    title = "The operator has no room"


class OperatorOfflineError(DomainError):
    code = "operator_offline"
    title = "The operator is not online"


class OperatorUnsuitableError(DomainError):
    code = "operator_unsuitable"
    title = "This person cannot hold dialogs here"


class OperatorExcludedError(DomainError):
    code = "operator_excluded"
    title = "The operator was offered the dialog already"


class OfferPendingError(DomainError):
    code = "offer_pending"
    title = "A transfer is already pending"


class OfferExpiredError(DomainError):
    code = "offer_expired"
    title = "The offer has expired"


class OfferEndedError(DomainError):
    code = "offer_ended"
    title = "The offer has ended"


class TopicRequiredError(DomainError):
    code = "topic_required"
    title = "A topic is required"


class FieldsRequiredError(DomainError):
    code = "fields_required"
    title = "Fields of the ticket are required"


class UnknownTopicError(DomainError):
    code = "unknown_topic"
    title = "Unknown topic"


class BannedError(DomainError):
    code = "banned"
    title = "The client is banned"


class InUseError(DomainError):
    code = "in_use"
    title = "Still in use"


class LastAdminError(DomainError):
    code = "last_admin"
    title = "Somebody must be left who manages users and roles"


class BuiltInError(DomainError):
    code = "built_in"
    title = "Built in"


class ConflictError(DomainError):
    code = "conflict"
    title = "Already exists"


class VersionConflictError(DomainError):
    code = "version_conflict"
    title = "Somebody has changed it meanwhile"


class SignInError(DomainError):
    code = "bad_credentials"
    title = "Wrong e-mail or password"


class UnauthenticatedError(DomainError):
    code = "unauthenticated"
    title = "Sign in first"


class CsrfError(DomainError):
    code = "bad_csrf"
    title = "The CSRF token is missing or wrong"


class TooManyError(DomainError):
    code = "too_many_requests"
    title = "Too many requests"


class NotActiveError(DomainError):
    code = "not_active"
    title = "The definition is not active"


class ArchivedError(DomainError):
    code = "archived"
    title = "The definition is archived"


class UnchangedError(DomainError):
    code = "unchanged"
    title = "Nothing has changed since the latest version"


class InvalidDefinitionError(DomainError):
    """`errors`: the diagnostics."""

    code = "invalid_definition"
    title = "The definition is not valid"


class InvalidInputsError(DomainError):
    """`errors`: one object a field: {field, code, message}."""

    code = "invalid_inputs"
    title = "The inputs are not valid"


class SelectionTooLargeError(DomainError):
    code = "selection_too_large"
    title = "More items than one run may have"


class ConfirmationNeededError(DomainError):
    code = "confirmation_needed"
    title = "Confirm the number of items"


class RunEndedError(DomainError):
    code = "run_ended"
    title = "The run has ended"


class RunNotEndedError(DomainError):
    code = "run_not_ended"
    title = "The run has not ended yet"


class NothingToDoError(DomainError):
    code = "nothing_to_do"
    title = "There is nothing to do"


class NothingLeftToUndoError(DomainError):
    code = "nothing_left_to_undo"
    title = "Nothing is left to undo"


class AlreadyDecidedError(DomainError):
    code = "already_decided"
    title = "Already decided"


class OwnLaunchError(ForbiddenError):
    code = "own_launch"
    title = "Somebody else has to decide"


class QueueFullError(DomainError):
    code = "queue_full"
    title = "Too many launches wait for the same target"


class RatingEndedError(DomainError):
    code = "rating_ended"
    title = "The rating was given already, or its time is over"


class NoWorkingTimeError(DomainError):
    code = "no_working_time"
    title = "The calendar has no such working time"


class UnavailableError(DomainError):
    code = "unavailable"
    title = "A part of the system is away"


class TooLargeError(DomainError):
    code = "too_large"
    title = "Too large"


def _all(cls: type[DomainError]) -> list[type[DomainError]]:
    return [cls, *(found for sub in cls.__subclasses__() for found in _all(sub))]


BY_CODE: dict[str, type[DomainError]] = {cls.code: cls for cls in _all(DomainError)}


def from_code(code: str, detail: str, extra: dict[str, Any] | None = None) -> DomainError:
    """Rebuild a refusal that travelled as data (a stored answer, a workflow failure)."""
    return BY_CODE.get(code, DomainError)(detail, **(extra or {}))
