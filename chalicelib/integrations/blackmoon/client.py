"""Blackmoon's fourteen methods, through our transport.

Every method raises :class:`BlackmoonTrouble` and nothing else, and gives a typed result.  Tokens go
into bodies; they are in no URL, no log and no error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

from chalicelib.domain import blackmoon_answers as answers
from chalicelib.integrations.blackmoon import errors, reading, results
from chalicelib.integrations.blackmoon.multipart import FilePart, Multipart
from chalicelib.integrations.blackmoon.results import (
    Bid,
    CessionRow,
    CollateralList,
    LastUpdate,
    Moved,
    NewTokens,
    Pong,
    Reconciled,
    ReverseCessions,
    Sent,
    Warned,
)
from chalicelib.integrations.blackmoon.shape import Shape
from chalicelib.integrations.transport import Call, NoAnswer, Transport

if TYPE_CHECKING:
    from requests import Response

T = TypeVar("T")
PROVIDER = "blackmoon"
FORM = "application/x-www-form-urlencoded"

ONCE = frozenset({answers.CREATE, answers.CANCEL, "auth.refreshTokens"})
"""Not repeated blindly: the second try of one that was done is refused, and tells nothing of it."""

UNWRAPPED = frozenset({answers.CANCEL})
"""Documented without ``success`` around it; both are understood."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who asks: the organisation and the token that is good now."""

    organization_id: str
    access_token: str = field(repr=False)


class Blackmoon:
    """One organisation's view of Blackmoon.  May be shared between threads."""

    def __init__(
        self,
        api_url: str,
        credentials: Credentials,
        transport: Transport,
        shape: Shape | None = None,
    ) -> None:
        self._api_url = api_url.rstrip("/")
        self._credentials = credentials
        self._transport = transport
        self.shape = shape or Shape()

    # --- offers -----------------------------------------------------------------------------------

    def create_offer(self, loan_id: str, known: Mapping[str, Any]) -> Bid:
        """Ask for an offer; ``known`` are our fields, of which the shape's map says what is sent.

        It is sent once: an answer that was lost cannot be asked for again (``trouble.lost``).
        """
        fields = self.shape.application(loan_id, known)
        texts = {self.shape.application_fields_param: reading.written(fields)}
        hidden = [str(one) for one in fields.values() if one is not True and one is not False]
        return self._ask(answers.CREATE, texts, results.bid, hidden)

    def accept_offer(self, offer_id: str) -> Moved:
        """Accept; ``warning.remedy`` is ``refusal`` where it had been declined."""
        return self._offer(answers.ACCEPT, offer_id)

    def decline_offer(self, offer_id: str) -> Moved:
        """Decline; ``warning.remedy`` is ``refusal`` where it had been accepted."""
        return self._offer(answers.DECLINE, offer_id)

    def cancel_offer(self, offer_id: str) -> Moved:
        """Cancel an accepted offer."""
        return self._offer(answers.CANCEL, offer_id)

    # --- data -------------------------------------------------------------------------------------

    def send_applications(self, loans: FilePart) -> Sent:
        """The loans' file, streamed."""
        return self._file("data.sendApplications", self.shape.loans_part, loans)

    def send_repayments(self, repayments: FilePart) -> Sent:
        """The repayments' file, streamed."""
        return self._file("data.sendRepayments", self.shape.repayments_part, repayments)

    # --- collateral -------------------------------------------------------------------------------

    def relevant_portfolio(self) -> CollateralList:
        """What is pledged now."""
        return self._collateral("collateral.getRelevantPortfolio", "relevant")

    def retained_portfolio(self) -> CollateralList:
        """What is pledged now and was before."""
        return self._collateral("collateral.getRetainedPortfolio", "retained")

    def left_portfolio(self) -> CollateralList:
        """What was pledged before and is not any more."""
        return self._collateral("collateral.getLeftPortfolio", "left")

    def last_update_date(self) -> LastUpdate:
        """When the lists were last made."""
        return self._ask("collateral.getLastUpdateDate", {}, results.last_update)

    # --- portfolio --------------------------------------------------------------------------------

    def reconcile_direct_cessions(self, history: Iterable[CessionRow]) -> Reconciled:
        """Compare all cessions of all time; of ``history`` one row at a time is held as such."""
        rows = (reading.written(_cession(row)) for row in history)
        texts = {self.shape.cessions: f"[{','.join(rows)}]"}
        method = "portfolio.reconcileDirectCessionTransactions"
        return self._ask(method, texts, results.reconciled)

    def reverse_cessions(self) -> ReverseCessions:
        """The loans that investors sold back, of all time."""
        method = "portfolio.getReverseCessionTransactions"
        return self._ask(method, {}, results.reverse_cessions)

    # --- tokens and connection --------------------------------------------------------------------

    def refresh_tokens(self, refresh_token: str) -> NewTokens:
        """A new pair; the one in use is good no longer.  Keep it before it is used."""
        texts = {self.shape.refresh_token: refresh_token}
        return self._ask("auth.refreshTokens", texts, results.new_tokens, [refresh_token])

    def ping(self) -> Pong:
        """Whether there is anybody."""
        return self._ask("ping", {}, results.pong)

    # --- what all of them do ----------------------------------------------------------------------

    def _offer(self, method: str, offer_id: str) -> Moved:
        return self._ask(method, {self.shape.offer_id: offer_id}, results.moved)

    def _collateral(self, method: str, name: str) -> CollateralList:
        return self._ask(method, {}, partial(results.collateral, name=name))

    def _file(self, method: str, part: str, file: FilePart) -> Sent:
        body = Multipart(self._parameters(), part, file)
        return self._send(method, body, body.content_type, results.sent, ())

    def _ask(
        self,
        method: str,
        texts: Mapping[str, str],
        shape: Callable[[Any, Warned], T],
        hidden: Sequence[str] = (),
    ) -> T:
        body = urlencode({**self._parameters(), **texts}).encode()
        return self._send(method, body, FORM, shape, hidden)

    def _parameters(self) -> dict[str, str]:
        who = self._credentials
        return {
            self.shape.organization_id: who.organization_id,
            self.shape.access_token: who.access_token,
        }

    def _send(
        self,
        method: str,
        body: bytes | Multipart,
        content_type: str,
        shape: Callable[[Any, Warned], T],
        hidden: Sequence[str],
    ) -> T:
        headers = {"Content-Type": content_type, "Accept": "application/json"}
        attempts = 1 if method in ONCE else None
        url = f"{self._api_url}/{method}"
        call = Call(PROVIDER, method, "POST", url, headers, body, attempts=attempts)
        try:
            response = self._transport.send(call)
        except NoAnswer as silence:
            raise errors.of_silence(method, silence) from None
        return self._understood(method, response, shape, hidden)

    def _understood(
        self,
        method: str,
        response: Response,
        shape: Callable[[Any, Warned], T],
        hidden: Sequence[str],
    ) -> T:
        """The result in an answer; by what it says, whatever its HTTP status."""
        status = response.status_code
        try:
            told = reading.parsed(response.content)
            if isinstance(told, Mapping):
                if told.get("error") is not None:
                    secrets = (self._credentials.access_token, *hidden)
                    raise errors.of_error(method, told["error"], secrets, status)
                if status < 300 and "success" in told:
                    return shape(told["success"], _warned(method, told.get("warning")))
                if status < 300 and method in UNWRAPPED and "offerId" in told:
                    return shape(told, _warned(method, told.get("warning")))
        except reading.Incomplete:
            pass
        raise errors.of_status(method, status)


def _warned(method: str, warning: Any) -> Warned:
    if not warning:
        return results.NO_WARNING
    told = warning if isinstance(warning, Mapping) else {}
    code = reading.code(told.get("warningCode")) or "unknown"
    return Warned(code, answers.remedy_of_warning(code, method))


def _cession(row: CessionRow) -> dict[str, Any]:
    investor = row.investor_legal_entity_id
    return {
        "investorLegalEntityId": int(investor) if investor and investor.isdecimal() else investor,
        "loanId": row.loan_id,
        "type": row.type,
        "day": row.day,
        "price": row.price,
        "originationFee": row.origination_fee,
        "servicingFee": row.servicing_fee,
    }
