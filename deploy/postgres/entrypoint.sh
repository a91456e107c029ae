#!/bin/sh
# Runs PostgreSQL with the options given. The first start makes the cluster, the login newsmill with the password in
# $PASSWORD_FILE, and its database. The login is no superuser; the superuser comes in by the socket alone.
set -eu
umask 077

# Under another name until it is whole: a first start that was cut short begins anew.
make_cluster () {
    new=$PGDATA.new
    password=$(cat "$PASSWORD_FILE")
    [ "$password" ] || { echo "entrypoint: $PASSWORD_FILE is empty" >&2; exit 1; }
    rm -rf "$new"
    initdb -D "$new" --username=postgres --auth-local=peer --auth-host=scram-sha-256 --encoding=UTF8 \
        --locale=C.UTF-8 --locale-provider=builtin --builtin-locale=C.UTF-8 --data-checksums --no-instructions
    echo 'host newsmill newsmill all scram-sha-256' >>"$new/pg_hba.conf"
    postgres --single -D "$new" -c exit_on_error=on postgres >/dev/null <<END
CREATE ROLE newsmill LOGIN PASSWORD '$(printf %s "$password" | sed "s/'/''/g")'
CREATE DATABASE newsmill OWNER newsmill
END
    echo 'CREATE EXTENSION vector' | postgres --single -D "$new" -c exit_on_error=on newsmill >/dev/null
    mv "$new" "$PGDATA"
}

[ -s "$PGDATA/PG_VERSION" ] || make_cluster

# SIGTERM would have the server wait until every client has gone; SIGINT is its fast shutdown.
trap 'kill -INT "$server"' INT TERM
postgres -D "$PGDATA" -c listen_addresses='*' -c unix_socket_directories=/run/postgresql -c timezone=UTC \
    -c log_timezone=UTC "$@" &
server=$!
status=0
wait "$server" || status=$?
while kill -0 "$server" 2>/dev/null; do     # a signal ends wait, not the server
    status=0
    wait "$server" || status=$?
done
exit "$status"
