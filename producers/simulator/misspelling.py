"""Misspells what shoppers type, as fingers do on a keyboard. Pure."""

TYPO_FROM_LETTERS = 5
"""A word of fewer letters has no typo: a shop's search finds it by its exact letters only."""

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_BESIDE = {letter: row[max(place - 1, 0) : place + 2] for row in _ROWS for place, letter in enumerate(row)}
_EDITS = 4


def misspelt(query: str, where: float, edit: float) -> str:
    """Return the query with one typo in its longest word, after the first letter of the word.

    A letter is missing, doubled, swapped with the next one, or replaced by its neighbour on the keyboard.
    `where` and `edit` in [0, 1) choose. A query without a word of TYPO_FROM_LETTERS letters is returned as it
    is.
    """
    words, longest = _longest(query)
    word = words[longest]
    if len(word) < TYPO_FROM_LETTERS or not word.isalpha():
        return query
    place = 1 + int(where * (len(word) - 2))
    words[longest] = _edited(word, place, int(edit * _EDITS))
    return " ".join(words)


def beyond_recognition(query: str, edit: float) -> str:
    """Return the query with another first letter in its longest word, which no search finds."""
    words, longest = _longest(query)
    word = words[longest]
    beside = [letter for letter in _BESIDE.get(word[:1], "x") if letter != word[:1]] or ["x"]
    first = beside[int(edit * len(beside))]
    words[longest] = first + (word[1:] if edit < 0.5 else word)
    return " ".join(words)


def _longest(query: str) -> tuple[list[str], int]:
    words = query.split(" ")
    return words, max(range(len(words)), key=lambda place: len(words[place]))


def _edited(word: str, place: int, edit: int) -> str:
    letter, following = word[place], word[place + 1 : place + 2]
    if edit == 0 or (edit == 1 and letter == following):
        return word[:place] + word[place + 1 :]
    if edit == 1:
        return word[:place] + following + letter + word[place + 2 :]
    if edit == 2:
        return word[:place] + letter + word[place:]
    beside = [other for other in _BESIDE.get(letter, "") if other != letter]
    return word[:place] + (beside[place % len(beside)] if beside else "") + word[place + 1 :]
