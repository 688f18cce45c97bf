"""Calendar months as text such as `2018-03`, as ClickHouse numbers them (201803), and as moments. Pure."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from serving.kit.periods import midnight
from serving.kit.problems import BAD_PERIOD


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month."""

    year: int
    number: int
    """From 1 to 12."""

    @classmethod
    def of(cls, day: date) -> "Month":
        """Return the month of a day, or of a moment in its own time zone."""
        return cls(day.year, day.month)

    @classmethod
    def parse(cls, text: str, name: str) -> "Month":
        """Parse a text such as `2018-03`, the parameter `name`.

        Raises:
            BAD_PERIOD: it is not such a text, or outside 1971 to 2104.
        """
        try:
            month = cls.of(date.fromisoformat(f"{text}-01"))
        except ValueError as error:
            raise BAD_PERIOD(detail=f"{name}={text} is not a month such as 2018-08.") from error
        if str(month) != text:
            raise BAD_PERIOD(detail=f"{name}={text} is not a month such as 2018-08.")
        if not 1971 <= month.year <= 2104:
            raise BAD_PERIOD(detail=f"{name}={text} is outside 1971 to 2104.")
        return month

    @classmethod
    def of_yyyymm(cls, number: int) -> "Month":
        """Return the month that ClickHouse's `toYYYYMM` numbers so."""
        return cls(*divmod(number, 100))

    @property
    def yyyymm(self) -> int:
        """The number that ClickHouse's `toYYYYMM` gives it."""
        return self.year * 100 + self.number

    def plus(self, months: int) -> "Month":
        """Return the month so many months later."""
        year, number = divmod(self.year * 12 + self.number - 1 + months, 12)
        return Month(year, number + 1)

    def since(self, earlier: "Month") -> int:
        """Return the number of months from an earlier one to this one."""
        return (self.year - earlier.year) * 12 + self.number - earlier.number

    def end(self, zone: ZoneInfo) -> datetime:
        """Return when the month ends in a zone, in UTC: the start of the next one."""
        following = self.plus(1)
        return midnight(date(following.year, following.number, 1), zone)

    def __str__(self) -> str:
        return f"{self.year:04}-{self.number:02}"
