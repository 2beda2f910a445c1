"""The key that signs tokens: key pair, certificate bundle, tokens. Pure: time and serial numbers are arguments."""
