"""Products, end users, risk and applications: all that comes before a loan."""

from __future__ import annotations

from typing import Unpack

from backbone_client.fields import (
    AddressFields,
    ApplicationFields,
    AssignmentFields,
    DataPointFields,
    EndUserFields,
    InputSourceFields,
    ProductFields,
    QuoteFields,
    RiskEngineFields,
    ScorecardFields,
    SelectorFields,
)
from backbone_client.lending_records import Loan
from backbone_client.records import (
    Address,
    Application,
    Assignment,
    DataPoint,
    Decision,
    EndUser,
    InputSource,
    Product,
    Quote,
    RiskEngine,
    Scorecard,
    Selector,
)
from backbone_client.resource import Listed, Readable, one


class Products(Readable[Product]):
    """What is lent; a new one is a draft."""

    path = "/product/"
    _kind = Product

    def create(
        self, *, idempotency_key: str | None = None, **fields: Unpack[ProductFields]
    ) -> Product:
        """Makes one."""
        return self._post(Product, body=fields, key=idempotency_key)

    def update(self, id: str, **fields: Unpack[ProductFields]) -> Product:
        """Changes what is given, and leaves the rest."""
        return self._patch(Product, f"{one(id)}/", fields)

    def replace(self, id: str, **fields: Unpack[ProductFields]) -> Product:
        """Replaces the whole: what is not given takes its default."""
        return self._put(Product, f"{one(id)}/", fields)

    def delete(self, id: str) -> None:
        """Removes one."""
        self._delete(f"{one(id)}/")

    def publish(self, id: str, *, idempotency_key: str | None = None) -> Product:
        """Makes a draft usable; it never changes after that."""
        return self._post(Product, f"{one(id)}/publish/", key=idempotency_key)

    def quote(self, id: str, **asked: Unpack[QuoteFields]) -> Quote:
        """What a loan would cost."""
        return self._get(Quote, f"{one(id)}/quote/", asked)


class Addresses(Readable[Address]):
    """The addresses of one end user."""

    path = ""
    _kind = Address

    def create(
        self, *, idempotency_key: str | None = None, **fields: Unpack[AddressFields]
    ) -> Address:
        """Makes one."""
        return self._post(Address, body=fields, key=idempotency_key)

    def update(self, id: str, **fields: Unpack[AddressFields]) -> Address:
        """Changes what is given, and leaves the rest."""
        return self._patch(Address, f"{one(id)}/", fields)

    def replace(self, id: str, **fields: Unpack[AddressFields]) -> Address:
        """Replaces the whole: what is not given takes its default."""
        return self._put(Address, f"{one(id)}/", fields)

    def delete(self, id: str) -> None:
        """Removes one."""
        self._delete(f"{one(id)}/")


class People(Readable[Assignment]):
    """The people of one company."""

    path = ""
    _kind = Assignment

    def create(
        self, *, idempotency_key: str | None = None, **fields: Unpack[AssignmentFields]
    ) -> Assignment:
        """Makes one."""
        return self._post(Assignment, body=fields, key=idempotency_key)

    def update(self, id: str, **fields: Unpack[AssignmentFields]) -> Assignment:
        """Changes what is given, and leaves the rest."""
        return self._patch(Assignment, f"{one(id)}/", fields)

    def replace(self, id: str, **fields: Unpack[AssignmentFields]) -> Assignment:
        """Replaces the whole: what is not given takes its default."""
        return self._put(Assignment, f"{one(id)}/", fields)

    def delete(self, id: str) -> None:
        """Removes one."""
        self._delete(f"{one(id)}/")


class LoansOf(Listed[Loan]):
    """The loans of one end user."""

    _kind = Loan


class EndUsers(Readable[EndUser]):
    """Borrowers, people and companies."""

    path = "/end_user/"
    _kind = EndUser

    def create(
        self, *, idempotency_key: str | None = None, **fields: Unpack[EndUserFields]
    ) -> EndUser:
        """Makes one."""
        return self._post(EndUser, body=fields, key=idempotency_key)

    def update(self, id: str, **fields: Unpack[EndUserFields]) -> EndUser:
        """Changes what is given, and leaves the rest."""
        return self._patch(EndUser, f"{one(id)}/", fields)

    def replace(self, id: str, **fields: Unpack[EndUserFields]) -> EndUser:
        """Replaces the whole: what is not given takes its default."""
        return self._put(EndUser, f"{one(id)}/", fields)

    def addresses(self, id: str) -> Addresses:
        """The addresses of one: ``end_users.addresses(id).create(...)``."""
        return Addresses(self._session, f"{self.path}{one(id)}/address/")

    def people(self, id: str) -> People:
        """The people of a company: ``end_users.people(id).create(end_user=..., role=...)``."""
        return People(self._session, f"{self.path}{one(id)}/assign-enduser/")

    def loans(self, id: str) -> LoansOf:
        """The loans of one: ``end_users.loans(id).iterate()``."""
        return LoansOf(self._session, f"{self.path}{one(id)}/loans/")


class InputSources(Readable[InputSource]):
    """What risk rules can read."""

    path = "/input_source/"
    _kind = InputSource

    def create(
        self, *, idempotency_key: str | None = None, **fields: Unpack[InputSourceFields]
    ) -> InputSource:
        """Makes one."""
        return self._post(InputSource, body=fields, key=idempotency_key)

    def update(self, id: str, **fields: Unpack[InputSourceFields]) -> InputSource:
        """Changes what is given, and leaves the rest."""
        return self._patch(InputSource, f"{one(id)}/", fields)

    def replace(self, id: str, **fields: Unpack[InputSourceFields]) -> InputSource:
        """Replaces the whole: what is not given takes its default."""
        return self._put(InputSource, f"{one(id)}/", fields)


class DataPoints(Readable[DataPoint]):
    """The values of input sources for applications, one of each."""

    path = "/data_point/"
    _kind = DataPoint

    def create(
        self, *, idempotency_key: str | None = None, **fields: Unpack[DataPointFields]
    ) -> DataPoint:
        """Makes one."""
        return self._post(DataPoint, body=fields, key=idempotency_key)

    def update(self, id: str, **fields: Unpack[DataPointFields]) -> DataPoint:
        """Changes what is given, and leaves the rest."""
        return self._patch(DataPoint, f"{one(id)}/", fields)

    def replace(self, id: str, **fields: Unpack[DataPointFields]) -> DataPoint:
        """Replaces the whole: what is not given takes its default."""
        return self._put(DataPoint, f"{one(id)}/", fields)


class Scorecards(Readable[Scorecard]):
    """Weighted rules."""

    path = "/scorecard/"
    _kind = Scorecard

    def create(
        self, *, idempotency_key: str | None = None, **fields: Unpack[ScorecardFields]
    ) -> Scorecard:
        """Makes one."""
        return self._post(Scorecard, body=fields, key=idempotency_key)

    def update(self, id: str, **fields: Unpack[ScorecardFields]) -> Scorecard:
        """Changes what is given, and leaves the rest."""
        return self._patch(Scorecard, f"{one(id)}/", fields)

    def replace(self, id: str, **fields: Unpack[ScorecardFields]) -> Scorecard:
        """Replaces the whole: what is not given takes its default."""
        return self._put(Scorecard, f"{one(id)}/", fields)

    def activate(self, id: str, *, idempotency_key: str | None = None) -> Scorecard:
        """Lets risk engines use it."""
        return self._post(Scorecard, f"{one(id)}/activate/", key=idempotency_key)


class RiskEngines(Readable[RiskEngine]):
    """Scorecards that decide together."""

    path = "/risk_engine/"
    _kind = RiskEngine

    def create(
        self, *, idempotency_key: str | None = None, **fields: Unpack[RiskEngineFields]
    ) -> RiskEngine:
        """Makes one."""
        return self._post(RiskEngine, body=fields, key=idempotency_key)

    def update(self, id: str, **fields: Unpack[RiskEngineFields]) -> RiskEngine:
        """Changes what is given, and leaves the rest."""
        return self._patch(RiskEngine, f"{one(id)}/", fields)

    def replace(self, id: str, **fields: Unpack[RiskEngineFields]) -> RiskEngine:
        """Replaces the whole: what is not given takes its default."""
        return self._put(RiskEngine, f"{one(id)}/", fields)

    def activate(self, id: str, *, idempotency_key: str | None = None) -> RiskEngine:
        """Lets selectors use it."""
        return self._post(RiskEngine, f"{one(id)}/activate/", key=idempotency_key)


class Selectors(Readable[Selector]):
    """Which engines decide a product's applications."""

    path = "/risk_engine_selector/"
    _kind = Selector

    def create(
        self, *, idempotency_key: str | None = None, **fields: Unpack[SelectorFields]
    ) -> Selector:
        """Makes one."""
        return self._post(Selector, body=fields, key=idempotency_key)

    def update(self, id: str, **fields: Unpack[SelectorFields]) -> Selector:
        """Changes what is given, and leaves the rest."""
        return self._patch(Selector, f"{one(id)}/", fields)

    def replace(self, id: str, **fields: Unpack[SelectorFields]) -> Selector:
        """Replaces the whole: what is not given takes its default."""
        return self._put(Selector, f"{one(id)}/", fields)


class Decisions(Readable[Decision]):
    """How applications were decided; kept for ever."""

    path = "/decision/"
    _kind = Decision


class Applications(Readable[Application]):
    """Wishes for loans."""

    path = "/application/"
    _kind = Application

    def create(
        self, *, idempotency_key: str | None = None, **fields: Unpack[ApplicationFields]
    ) -> Application:
        """Makes one."""
        return self._post(Application, body=fields, key=idempotency_key)

    def update(self, id: str, **fields: Unpack[ApplicationFields]) -> Application:
        """Changes what is given, and leaves the rest."""
        return self._patch(Application, f"{one(id)}/", fields)

    def replace(self, id: str, **fields: Unpack[ApplicationFields]) -> Application:
        """Replaces the whole: what is not given takes its default."""
        return self._put(Application, f"{one(id)}/", fields)

    def complete(self, id: str, *, idempotency_key: str | None = None) -> Application:
        """Has it decided, at once."""
        return self._post(Application, f"{one(id)}/complete/", key=idempotency_key)

    def reopen(self, id: str, *, idempotency_key: str | None = None) -> Application:
        """Makes it incomplete again."""
        return self._post(Application, f"{one(id)}/reopen/", key=idempotency_key)

    def withdraw(self, id: str, *, idempotency_key: str | None = None) -> Application:
        """The end user has changed their mind."""
        return self._post(Application, f"{one(id)}/withdraw/", key=idempotency_key)
