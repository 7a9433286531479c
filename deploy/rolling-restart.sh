#!/bin/sh
# Restarts relays one after the other: each drains first, and the next one waits until it is registered again, so that there is
# always somewhere to go. The first argument is the command that restarts a relay, %s stands for its name; then one name=URL of
# the operations API for each relay.
#
#   deploy/rolling-restart.sh 'systemctl restart tributary-relay@%s' r1=http://10.0.0.1:9090 r2=http://10.0.0.2:9090
#   deploy/rolling-restart.sh 'docker compose -f deploy/compose.yaml restart %s' \
#     relay1=http://127.0.0.1:9090 relay2=http://127.0.0.1:9091 relay3=http://127.0.0.1:9092
set -eu

wait_seconds=${ROLLING_WAIT_SECONDS:-60}

if [ $# -lt 2 ]; then
  echo "usage: $0 'restart command with %s' name=operations-url ..." >&2
  exit 2
fi
restart=$1
shift

is_ready() {
  curl --fail --silent --output /dev/null --max-time 2 "${1%/}/readyz"
}

for relay in "$@"; do
  name=${relay%%=*}
  url=${relay#*=}
  if [ "$name" = "$relay" ] || [ -z "$name" ] || [ -z "$url" ]; then
    echo "$relay is not name=operations-url" >&2
    exit 2
  fi
  case $name in
    *[!A-Za-z0-9._:-]*)
      echo "$name has characters that no relay's name has" >&2
      exit 2
      ;;
  esac
done

# Where one is down already, taking down another may leave nobody to go to.
for relay in "$@"; do
  if ! is_ready "${relay#*=}"; then
    echo "${relay%%=*} is not ready now: nothing was restarted" >&2
    exit 1
  fi
done

for relay in "$@"; do
  name=${relay%%=*}
  url=${relay#*=}
  echo "$name: draining and restarting"
  command=$(printf '%s' "$restart" | sed "s/%s/$name/g")
  sh -c "$command"
  waited=0
  until is_ready "$url"; do
    if [ "$waited" -ge "$wait_seconds" ]; then
      echo "$name is not ready $wait_seconds s after its restart: stopped here, the relays behind it were not touched" >&2
      exit 1
    fi
    sleep 1
    waited=$((waited + 1))
  done
  echo "$name: ready"
done
