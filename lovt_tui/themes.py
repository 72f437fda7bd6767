"""Two themes, dark and light. Hues are told apart by colour-blind eyes too (blue, orange, bluish green, vermilion)."""

from textual.theme import Theme

DARK = Theme(
    name="lovt-dark",
    primary="#6CB6E4",
    secondary="#8FA8BF",
    accent="#6CB6E4",
    success="#4FC3A1",
    warning="#E8B04A",
    error="#F08560",
    foreground="#D9DEE4",
    background="#12161B",
    surface="#181D24",
    panel="#222933",
    dark=True,
)
LIGHT = Theme(
    name="lovt-light",
    primary="#0A5FA0",
    secondary="#52677A",
    accent="#0A5FA0",
    success="#00704F",
    warning="#855A00",
    error="#B03A08",
    foreground="#1E252C",
    background="#FBFAF7",
    surface="#F3F1EC",
    panel="#E5E2DB",
    dark=False,
)
THEMES = {"dark": DARK, "light": LIGHT}
