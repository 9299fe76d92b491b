#!/bin/sh
# Prints an environment file for docker-compose.yml with passwords and keys nobody else has.
# Keep it: FENGHUO_IDENTITY_KEY decrypts complainants' identities, and losing it loses them.
set -eu

# Whoever reads the file can do everything: into a file it is written for its owner only.
if [ -f /dev/stdout ]; then chmod 600 /dev/stdout; fi

letters() { head -c 32 /dev/urandom | base64 | tr -d '\n=' | tr '+/' '-_'; }
api_key() { printf 'fh_%s_%s' "$(od -An -N4 -tx1 /dev/urandom | tr -d ' \n')" "$(letters)"; }

for service in POSTGRES_PASSWORD INTAKE_DATABASE_PASSWORD CLASSIFIER_DATABASE_PASSWORD \
    ESCALATOR_DATABASE_PASSWORD NOTIFIER_DATABASE_PASSWORD CONSOLE_DATABASE_PASSWORD \
    KEY_PEPPER LINK_SECRET SESSION_SECRET ADMIN_PASSWORD; do
    echo "FENGHUO_${service}=$(letters)"
done
echo "FENGHUO_IDENTITY_KEY=$(head -c 32 /dev/urandom | base64 | tr -d '\n')"
echo "FENGHUO_OPERATOR_KEY=$(api_key)"
echo "FENGHUO_INTAKE_KEY=$(api_key)"
