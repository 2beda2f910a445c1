#!/bin/sh
# Prints the account at the upstream as the answer of a Docker credential helper. The account in the Secrets of others
# takes precedence: they may be renewed at any time.

ACCOUNT=/etc/regmirror/account

quoted() { sed 's/[\\"]/\\&/g' "$ACCOUNT/$1"; }

if [ -s "$ACCOUNT/username" ] && [ -s "$ACCOUNT/password" ]; then
  printf '{"ServerURL": "", "Username": "%s", "Secret": "%s"}\n' "$(quoted username)" "$(quoted password)"
else
  cat /etc/regmirror/upstream/credential.json
fi
