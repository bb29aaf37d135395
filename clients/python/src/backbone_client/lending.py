"""Loans and their money, webhooks, the partner itself, providers' views and the sandbox."""

from __future__ import annotations

from typing import Unpack
from uuid import uuid4

from backbone_client.fields import (
    LoanFields,
    MandateFields,
    PartnerFields,
    TransactionFields,
    WebhookEndpointFields,
)
from backbone_client.lending_records import (
    Alarm,
    ApiKey,
    Cession,
    Clock,
    Collateral,
    DataFile,
    Loan,
    Mandate,
    NewApiKey,
    NewSecret,
    NewWebhookEndpoint,
    Offer,
    Partner,
    Payoff,
    Portfolio,
    Preview,
    ProviderEvent,
    Reconciliation,
    SandboxPartner,
    Schedule,
    Settlement,
    Simulators,
    Statement,
    Transaction,
    TrialBalance,
    Webhook,
    WebhookEndpoint,
)
from backbone_client.resource import Day, Listed, Readable, Resource, one
from backbone_client.session import Session


class Loans(Readable[Loan]):
    """Loan accounts, as they are on the business date."""

    path = "/loan/"
    _kind = Loan

    def read(self, id: str, as_of: Day | None = None) -> Loan:
        """One of them; ``as_of`` an earlier day, as it was known at the end of that day."""
        return self._get(Loan, f"{one(id)}/", {"as_of": as_of})

    def create(self, *, idempotency_key: str | None = None, **fields: Unpack[LoanFields]) -> Loan:
        """Opens a loan for an approved application; nothing is disbursed yet."""
        return self._post(Loan, body=fields, key=idempotency_key)

    def schedule(self, id: str, as_of: Day | None = None) -> Schedule:
        """What each row bills, and what has been paid of it, by now or at the end of ``as_of``."""
        return self._get(Schedule, f"{one(id)}/schedule/", {"as_of": as_of})

    def payoff(self, id: str, date: Day | None = None) -> Payoff:
        """What settles the loan on a date; today if not said."""
        return self._get(Payoff, f"{one(id)}/payoff/", {"date": date})

    def close(
        self,
        id: str,
        *,
        close_substatus: str,
        close_reason: str = "",
        idempotency_key: str | None = None,
    ) -> Loan:
        """Closes a loan that is ``paid_in_full``, or writes off what is owed (``written_off``)."""
        body = {"close_substatus": close_substatus, "close_reason": close_reason}
        return self._post(Loan, f"{one(id)}/close/", body, idempotency_key)

    def set_go_cardless_mandate(
        self, id: str, *, mandate: str, idempotency_key: str | None = None
    ) -> Loan:
        """Collects by this mandate from now on."""
        below = f"{one(id)}/set_go_cardless_mandate/"
        return self._post(Loan, below, {"mandate": mandate}, idempotency_key)

    def make_arrears(self, id: str, *, idempotency_key: str | None = None) -> Loan:
        """Puts it into arrears by hand."""
        return self._post(Loan, f"{one(id)}/make_arrears/", key=idempotency_key)

    def make_default(self, id: str, *, idempotency_key: str | None = None) -> Loan:
        """Puts it into default by hand."""
        return self._post(Loan, f"{one(id)}/make_default/", key=idempotency_key)

    def stop_interest_calculation(self, id: str, *, idempotency_key: str | None = None) -> Loan:
        """No night is charged until interest is started again."""
        return self._post(Loan, f"{one(id)}/stop_interest_calculation/", key=idempotency_key)

    def start_interest_calculation(self, id: str, *, idempotency_key: str | None = None) -> Loan:
        """Nights are charged again from the coming one on."""
        return self._post(Loan, f"{one(id)}/start_interest_calculation/", key=idempotency_key)

    def cancel(self, id: str, *, idempotency_key: str | None = None) -> Loan:
        """Before its first disbursement."""
        return self._post(Loan, f"{one(id)}/cancel/", key=idempotency_key)


class Transactions(Readable[Transaction]):
    """Operations on loan accounts, each made once and only once.

    ``list(loan=..., as_of=...)`` shows those of one loan as they were known at the end of a day.
    """

    path = "/transaction/"
    _kind = Transaction

    def create(self, **fields: Unpack[TransactionFields]) -> Transaction:
        """Disburses, repays or charges a fee.

        The same ``idempotency_key`` with the same request gives the first transaction again, for
        ever; where none is given, one is made for this call and its own retries.
        """
        key = fields.get("idempotency_key") or str(uuid4())
        return self._post(Transaction, body={**fields, "idempotency_key": key}, key=key)

    def apply(
        self,
        id: str,
        *,
        effective_date: Day | None = None,
        idempotency_key: str | None = None,
    ) -> Transaction:
        """Confirms a pending one by hand, for money that moved elsewhere.

        A repayment's past ``effective_date`` makes it count from that day on.
        """
        body = {} if effective_date is None else {"effective_date": effective_date}
        return self._post(Transaction, f"{one(id)}/apply/", body, idempotency_key)

    def retry(self, id: str, *, idempotency_key: str | None = None) -> Transaction:
        """Sends a failed one to its provider again: the same transaction, a new attempt."""
        return self._post(Transaction, f"{one(id)}/retry/", key=idempotency_key)

    def revert(self, id: str, *, idempotency_key: str | None = None) -> Transaction:
        """Takes back an applied one, and every later one of its loan."""
        return self._post(Transaction, f"{one(id)}/revert/", key=idempotency_key)

    def preview(self, **fields: Unpack[TransactionFields]) -> Preview:
        """What a repayment would change; nothing is written and no key is used."""
        return self._asked(Preview, "POST", "", fields, query={"preview": True})

    def preview_revert(self, id: str) -> Preview:
        """What a revert would change; nothing is written."""
        return self._asked(Preview, "POST", f"{one(id)}/revert/", {}, query={"preview": True})


class Statements(Readable[Statement]):
    """The months of revolving credits."""

    path = "/statement/"
    _kind = Statement


class Mandates(Readable[Mandate]):
    """Direct debit authorisations."""

    path = "/mandate/"
    _kind = Mandate

    def create(
        self, *, idempotency_key: str | None = None, **fields: Unpack[MandateFields]
    ) -> Mandate:
        """Asks for one: its ``authorisation_url`` is for the end user."""
        return self._post(Mandate, body=fields, key=idempotency_key)

    def manage_state(
        self, id: str, *, is_disabled: bool, idempotency_key: str | None = None
    ) -> Mandate:
        """Disables it, or enables it again."""
        body = {"is_disabled": is_disabled}
        return self._post(Mandate, f"{one(id)}/manage_state/", body, idempotency_key)


class WebhookEndpoints(Readable[WebhookEndpoint]):
    """Where events are sent."""

    path = "/webhook_endpoint/"
    _kind = WebhookEndpoint

    def create(
        self, *, idempotency_key: str | None = None, **fields: Unpack[WebhookEndpointFields]
    ) -> NewWebhookEndpoint:
        """Makes one."""
        return self._post(NewWebhookEndpoint, body=fields, key=idempotency_key)

    def update(self, id: str, **fields: Unpack[WebhookEndpointFields]) -> WebhookEndpoint:
        """Changes what is given, and leaves the rest."""
        return self._patch(WebhookEndpoint, f"{one(id)}/", fields)

    def replace(self, id: str, **fields: Unpack[WebhookEndpointFields]) -> WebhookEndpoint:
        """Replaces the whole: what is not given takes its default."""
        return self._put(WebhookEndpoint, f"{one(id)}/", fields)

    def delete(self, id: str) -> None:
        """Removes one."""
        self._delete(f"{one(id)}/")

    def rotate_secret(self, id: str, *, idempotency_key: str | None = None) -> NewSecret:
        """Makes a new secret; the old one signs beside it for 24 hours."""
        return self._post(NewSecret, f"{one(id)}/rotate_secret/", key=idempotency_key)


class Webhooks(Readable[Webhook]):
    """The log of what was sent."""

    path = "/webhook/"
    _kind = Webhook

    def retry(self, id: str, *, idempotency_key: str | None = None) -> Webhook:
        """Sends it again."""
        return self._post(Webhook, f"{one(id)}/retry/", key=idempotency_key)


class PartnerResource(Resource):
    """Yourself."""

    path = "/partner/"

    def read(self) -> Partner:
        """Your own settings."""
        return self._get(Partner)

    def update(self, **fields: Unpack[PartnerFields]) -> Partner:
        """Changes what is given."""
        return self._patch(Partner, "", fields)


class ApiKeys(Listed[ApiKey]):
    """Your keys; several may be valid at once."""

    path = "/api_key/"
    _kind = ApiKey

    def create(self, *, idempotency_key: str | None = None) -> NewApiKey:
        """Makes one, shown this once."""
        return self._post(NewApiKey, key=idempotency_key)

    def delete(self, id: str) -> None:
        """Revokes one, within a minute."""
        self._delete(f"{one(id)}/")


class Offers(Readable[Offer]):
    """Loans offered to investors."""

    path = "/blackmoon/offer/"
    _kind = Offer

    def accept(self, id: str, *, idempotency_key: str | None = None) -> Offer:
        """Takes the investor's bid."""
        return self._post(Offer, f"{one(id)}/accept/", key=idempotency_key)

    def decline(self, id: str, *, idempotency_key: str | None = None) -> Offer:
        """Refuses it."""
        return self._post(Offer, f"{one(id)}/decline/", key=idempotency_key)

    def cancel(self, id: str, *, idempotency_key: str | None = None) -> Offer:
        """Takes the offer back."""
        return self._post(Offer, f"{one(id)}/cancel/", key=idempotency_key)


class Cessions(Readable[Cession]):
    """Sales of loans."""

    path = "/blackmoon/cession/"
    _kind = Cession


class Collaterals(Readable[Collateral]):
    """Loans on the collateral lists."""

    path = "/blackmoon/collateral/"
    _kind = Collateral


class Reconciliations(Readable[Reconciliation]):
    """Comparisons, one a business date."""

    path = "/blackmoon/reconciliation/"
    _kind = Reconciliation


class DataFiles(Readable[DataFile]):
    """Daily files, two a business date."""

    path = "/blackmoon/file/"
    _kind = DataFile

    def resend(self, id: str, *, idempotency_key: str | None = None) -> DataFile:
        """Has one made and sent again, as of its business date."""
        return self._post(DataFile, f"{one(id)}/resend/", key=idempotency_key)


class Blackmoon:
    """What Blackmoon's marketplace holds of your loans."""

    def __init__(self, session: Session) -> None:
        self.offers = Offers(session)
        self.cessions = Cessions(session)
        self.collaterals = Collaterals(session)
        self.reconciliations = Reconciliations(session)
        self.files = DataFiles(session)


class Reports(Resource):
    """The books at the end of a day, of the business date if not said; what investors are due."""

    path = "/report/"

    def trial_balance(self, date: Day | None = None) -> TrialBalance:
        """What all loans have posted, account by account."""
        return self._get(TrialBalance, "trial_balance/", {"date": date})

    def portfolio(self, date: Day | None = None) -> Portfolio:
        """All loans by product, status and days past due."""
        return self._get(Portfolio, "portfolio/", {"date": date})

    def settlement(self, investor: str, month: str) -> Settlement:
        """What is an investor's of the payments of a month (``2026-03``)."""
        return self._get(Settlement, "settlement/", {"investor": investor, "month": month})

    def trial_balance_csv(self, date: Day | None = None) -> str:
        """Its accounts as CSV with a header row."""
        return self._csv("trial_balance/", {"date": date})

    def portfolio_csv(self, date: Day | None = None) -> str:
        """Its rows as CSV with a header row."""
        return self._csv("portfolio/", {"date": date})

    def settlement_csv(self, investor: str, month: str) -> str:
        """Its rows as CSV with a header row."""
        return self._csv("settlement/", {"investor": investor, "month": month})


class ProviderEvents(Listed[ProviderEvent]):
    """What providers told."""

    path = "/provider_event/"
    _kind = ProviderEvent


class Alarms(Listed[Alarm]):
    """What a person should look at."""

    path = "/alarm/"
    _kind = Alarm


class Sandbox(Resource):
    """A sandbox's clock and further partners; elsewhere all of it is :class:`NotFound`."""

    path = "/sandbox/"

    def clock(self) -> Clock:
        """The business date."""
        return self._get(Clock, "clock/")

    def move_clock(self, business_date: Day) -> Clock:
        """Runs every day up to a date; a long move may be answered with the date reached so far."""
        return self._post(Clock, "clock/", {"business_date": business_date})

    def simulators(self) -> Simulators:
        """Where the simulators are, and your tokens there."""
        return self._get(Simulators, "simulators/")

    def create_partner(self, *, idempotency_key: str | None = None) -> SandboxPartner:
        """Another partner, which sees nothing of this one; its key is shown this once."""
        return self._post(SandboxPartner, "partner/", key=idempotency_key)
