"""Chooses the loader for the files that a user gives."""

from dataclasses import dataclass, replace
from pathlib import Path

from common.errors import UserError
from recommenders.evaluation.cases import Dataset
from recommenders.evaluation.loaders import interactions, sessions
from recommenders.evaluation.loaders.attributes import Attributes, read_attributes
from recommenders.evaluation.loaders.tables import ColumnNames, parse_column_names

SEQUENCE_PROTOCOLS = ("leave-last", "new-items")
PROTOCOLS = tuple(dict.fromkeys((*interactions.PROTOCOLS, *SEQUENCE_PROTOCOLS)))


@dataclass(frozen=True)
class InputFiles:
    """The files and the protocol given on the command line. `protocol` is empty if none is given.

    `ordered` claims that the rows of the interactions are in time order.
    """

    interactions: Path | None = None
    test: Path | None = None
    sessions: Path | None = None
    cases: Path | None = None
    sequences: Path | None = None
    attributes: Path | None = None
    protocol: str = ""
    ordered: bool = False


def load_dataset(files: InputFiles, columns: str) -> Dataset:
    """Read the files. `columns` is the text of `--columns`, which names their columns.

    Raises:
        UserError: the options can't be combined, or a file can't be used.
    """
    logs = sum(each is not None for each in (files.interactions, files.sessions, files.sequences))
    for is_refused, reason in (
        (logs != 1, "name one log: --interactions FILE, --sessions FILE or --sequences FILE"),
        (files.cases and not files.sessions, "--cases goes with --sessions FILE"),
        (files.test and not files.interactions, "--test goes with --interactions FILE"),
        (
            files.ordered and not files.interactions,
            "--ordered goes with --interactions FILE: other logs have positions",
        ),
    ):
        if is_refused:
            raise UserError(reason)
    names = parse_column_names(columns)
    if files.sessions is not None:
        return _of_sessions(files, files.sessions, names)
    attributes = read_attributes(files.attributes, names) if files.attributes else None
    if files.sequences is not None:
        dataset = _of_sequences(files, files.sequences, names, attributes)
    else:
        assert files.interactions is not None
        dataset = _of_interactions(files, files.interactions, names, attributes)
    return replace(dataset, sellers=attributes.sellers_of(dataset.log)) if attributes else dataset


def _of_sessions(files: InputFiles, log: Path, names: ColumnNames) -> Dataset:
    if files.cases is None or files.attributes or files.protocol:
        raise UserError("--sessions goes with --cases FILE, and with no other file or protocol")
    return sessions.with_cases(log, files.cases, names)


def _of_sequences(files: InputFiles, log: Path, names: ColumnNames, attributes: Attributes | None) -> Dataset:
    if _checked_protocol(files.protocol or "leave-last", SEQUENCE_PROTOCOLS) == "leave-last":
        return interactions.leave_last(log, names, attributes)
    if attributes is None:
        raise UserError(
            "--protocol new-items needs --attributes FILE: new products have no events to learn from"
        )
    return interactions.new_items(log, names, attributes)


def _of_interactions(
    files: InputFiles, log: Path, names: ColumnNames, attributes: Attributes | None
) -> Dataset:
    if files.test is None:
        protocol = _checked_protocol(files.protocol or "time", interactions.PROTOCOLS)
        return interactions.with_protocol(log, names, protocol, attributes, files.ordered)
    if files.protocol:
        raise UserError("--protocol holds out a part of the log, --test replaces it: name one of them")
    return interactions.with_test(log, files.test, names, attributes, files.ordered)


def _checked_protocol(protocol: str, protocols: tuple[str, ...]) -> str:
    if protocol not in protocols:
        raise UserError(f"there is no protocol {protocol!r} for this log: choose from {', '.join(protocols)}")
    return protocol
