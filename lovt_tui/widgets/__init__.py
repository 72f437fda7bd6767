"""Parts of screens. Each draws frozen values and posts messages that name what somebody wants."""
