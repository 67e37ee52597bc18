#!/bin/sh
# The reply is one line of JSON, or null where there is no lock.
ask() {
    command=$1; shift
    redis-cli -u "${REDIS_URL:-redis://127.0.0.1:6379}" "$command" hermes:LockedQuoteInfo:42 "$@" JSON
}

# The map starts a lock or shares the one in force; a vehicle's page does not renew it; reserving only reads.
ask QUOTELOCK.ACQUIRE '["3","7"]' '*'
ask QUOTELOCK.ACQUIRE '["3","7"]' '*' IFMISSING
ask QUOTELOCK.GET
