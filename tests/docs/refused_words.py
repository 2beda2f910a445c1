"""Words and phrases that no text uses, and what to write instead.

Each is a regular expression, matched without regard to case over text whose line breaks count as blanks.
"""

REFUSED = {
    # Translated word for word; each has a plain English form.
    r"leav(?:e|es|ing) with (?:code )?(?:\d|exit)": "exit with",
    r"\bt(?:ell|ells|old|elling)\b": "show, report, say, distinguish",
    r"\banew\b": "again",
    r"\bbeside\b": "next to, alongside",
    r"\b(?:stands?|stood|standing) (?:in(?! for\b)|on|at|there|twice|alone|nowhere|under|with|by)\b": "is in, means",
    r"\bof (?:yours|ours|theirs)\b": "your, our, their",
    r"\bat hand\b": "available",
    r"\bmend(?:s|ed|ing)?\b": "fix",
    r"\bcur(?:e|es|ed|ing)\b": "fix",
    r"\bwhat (?:goes|stays)\b": "removed, kept",
    r"\bentrances?\b": "public endpoint",
    r"\bwithout a word\b": "silently",
    r"\bthe file's\b": "the configuration, or name the key",
    r"\bwhoever\b": "anyone who, the user who",
    r"\bwhatever\b": "everything that, any",
    r"\b(?:to|be) look(?:ed)? at\b": "check, read",
    r"\bin vain\b": "without success, or leave it out",
    r"\bwish(?:es|ed)?\b": "option, request",
    r"\bfates?\b": "decision",
    r"\bharm(?:s|ed|ing)?\b": "damage, break",
    r"\bfor lack of\b": "because ... is missing",
    r"\b(?:has|have) to do with\b": "is about",
    r"\bof before\b": "old, previous",
    r"\b(?:go(?:es|ing)?|went) on (?:from|as|with|to|where|until|till)\b": "continue",
    r"\btaken for\b": "treated as",
    r"\bbrings? (?:about|the cluster to)\b": "cause, apply",
    r"\bwhose end\b": "name the thing",
    r"\blends? a hand\b": "intervene",
    r"\bput to rights?\b|\bput right\b": "repaired",
    r"\bby --[a-z]": "with --option",
    r"\b(?:has|have) made\b": "made, created",
    r"(?<!\bthere)(?<!\s)\s+is no (?!longer\b|more\b|need\b|way\b|one\b|other\b|different\b)[a-z]": "is not a",
    # American spelling.
    r"\bcolours?\b": "color",
    r"\bbehaviours?\b": "behavior",
    r"\bfavour": "favor",
    r"\b(?:recogni|organi|normali|seriali|initiali|authori|minimi|optimi|summari)s(?:e[sd]?|ing|ations?)\b": "-ize",
    r"\bcatalogue": "catalog",
    r"\blicence\b": "license",
}

NAMES_IN_LOWER_CASE = r"\b(?:Docker_auth|Dockerd|Containerd|Kubectl|Regmirror)\b"
"""Names that begin a sentence stay as they are; matched with regard to case."""

ALLOWED: dict[tuple[str, str], str] = {}
"""By path and phrase: why it has to be so."""
