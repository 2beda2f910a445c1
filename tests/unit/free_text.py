"""Text as the configuration file may hold it: anything but characters that Helm's YAML would refuse or change."""

from hypothesis import strategies as st

TEXTS = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"], exclude_characters="\ufeff\ufffe\uffff"),
    min_size=1,
    max_size=40,
)
