"""Any text as LaTeX source of ASCII alone, which compiles with pdflatex without packages, whatever it holds."""

import unicodedata
from typing import Final

_SPECIAL: Final = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_", "%": r"\%",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': "''", "`": r"\textasciigrave{}", "[": "{[}", "]": "{]}", "*": "{*}",
    "\u00a0": "~", "–": r"\textendash{}", "—": r"\textemdash{}",
    "±": r"$\pm$", "×": r"$\times$", "·": r"$\cdot$", "→": r"$\to$",
    "≤": r"$\le$", "≥": r"$\ge$", "†": r"\dag{}", "°": r"$^\circ$", "…": r"\ldots{}",
    "‘": "`", "’": "'", "“": "``", "”": "''",
    "ß": r"\ss{}", "ø": r"\o{}", "Ø": r"\O{}", "æ": r"\ae{}", "Æ": r"\AE{}", "œ": r"\oe{}", "Œ": r"\OE{}",
    "ł": r"\l{}", "Ł": r"\L{}", "ı": r"\i{}",
}  # fmt: skip
"""Brackets and stars are wrapped lest a line break takes them as its own."""
_ACCENTS: Final = {
    "\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0304": "=", "\u0306": "u ", "\u0307": ".",
    "\u0308": '"', "\u030a": "r ", "\u030b": "H ", "\u030c": "v ", "\u0327": "c ",
}  # fmt: skip
_GREEK: Final = (
    *("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu"),
    *("xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega"),
    *("Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega"),
)
"""Those that LaTeX has commands for."""


def escape_latex(text: str) -> str:
    """The text on one line; a sign that LaTeX has no letter for becomes its number, such as [U+1F600]."""
    escaped = "".join(map(_escape_sign, unicodedata.normalize("NFC", " ".join(text.split()))))
    return escaped.replace("--", "-{}-").replace("--", "-{}-")  # two hyphens would become a dash


def _escape_sign(sign: str) -> str:
    if sign in _SPECIAL:
        return _SPECIAL[sign]
    if sign.isascii():
        return sign if sign.isprintable() else ""
    decomposed = unicodedata.normalize("NFD", sign)
    base, marks = decomposed[0], decomposed[1:]
    if base.isascii() and marks:
        known = [_ACCENTS[mark] for mark in marks if mark in _ACCENTS]
        return f"\\{known[0].strip()}{{{base}}}" if known else base
    plain = unicodedata.normalize("NFKD", sign)
    if plain.isascii():
        return "".join(map(_escape_sign, plain))
    return _escape_foreign(sign)


def _escape_foreign(sign: str) -> str:
    words = unicodedata.name(sign, "").split()
    if words[:1] == ["GREEK"] and len(words) == 4:
        letter = words[3].lower().replace("lamda", "lambda")
        letter = letter.capitalize() if words[1] == "CAPITAL" else letter
        if letter in _GREEK:
            return f"$\\{letter}$"
    return f"{{[}}U+{ord(sign):04X}{{]}}"
