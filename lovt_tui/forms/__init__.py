"""Forms made from the config schema: fields, drafts, what is wrong with them, what they differ in. No widgets."""
