"""Options that may stand on a line of their own in a requirements file."""

# Options of a whole line: short form, and whether a value follows.
OPTIONS = {
    "--requirement": ("-r", True),
    "--constraint": ("-c", True),
    "--editable": ("-e", True),
    "--index-url": ("-i", True),
    "--pypi-url": ("", True),
    "--extra-index-url": ("", True),
    "--find-links": ("-f", True),
    "--no-index": ("", False),
    "--no-binary": ("", True),
    "--only-binary": ("", True),
    "--prefer-binary": ("", False),
    "--pre": ("", False),
    "--all-releases": ("", True),
    "--only-final": ("", True),
    "--require-hashes": ("", False),
    "--trusted-host": ("", True),
    "--use-feature": ("", True),
    "--process-dependency-links": ("", False),
    "--always-unzip": ("-Z", False),
}
_SHORT = {short: name for name, (short, _) in OPTIONS.items() if short}


def option(word: str) -> tuple[str | None, str | None]:
    """Return the option's full name and its value in the same word, as optparse would."""
    if word.startswith("--"):
        given, equals, value = word.partition("=")
        known = [given] if given in OPTIONS else [name for name in OPTIONS if name.startswith(given)]
        # optparse takes any abbreviation that is not ambiguous, and so must whoever looks for options.
        return (known[0] if len(known) == 1 and len(given) > 2 else None), (value if equals else None)
    # `-r=file` names `=file` to pip and `file` to uv: it is an option of neither here.
    name = None if word[2:3] == "=" else _SHORT.get(word[:2])
    return name, (word[2:] or None)
