// A lock and its prices with hiredis: on one server, or by REDIS_MODE in a Cluster. In RESP2: a map comes as its names and values
// in turn.
#define _GNU_SOURCE
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BLOCK_MS "5000"
#define WORDS(...) (const char *[]){__VA_ARGS__, NULL}

typedef struct {
    redisContext *context;
    int seconds; // the time-out of a reply
} Connection;

static char user[64], password[64];

static void fail(const char *why) {
    fprintf(stderr, "%s\n", why);
    exit(1);
}

static redisReply *send_words(Connection *connection, const char **words) {
    int count = 0;
    while (words[count]) count++;
    redisReply *reply = redisCommandArgv(connection->context, count, words, NULL);
    if (!reply) fail(connection->context->errstr);
    return reply;
}

static void open_to(Connection *connection, const char *host, int port) {
    if (connection->context) redisFree(connection->context);
    connection->context = redisConnect(host, port);
    if (!connection->context || connection->context->err) fail("can't connect");
    redisSetTimeout(connection->context, (struct timeval){connection->seconds, 0});
    if (*password) freeReplyObject(send_words(connection, WORDS("AUTH", user, password)));
}

// In a Cluster the reply may be MOVED or ASK, a slot, and the address of the node to ask instead.
static redisReply *call(Connection *connection, const char **words) {
    for (int tries = 5; tries > 0; tries--) {
        redisReply *reply = send_words(connection, words);
        if (reply->type != REDIS_REPLY_ERROR) return reply;
        char why[16], host[64];
        int port;
        if (sscanf(reply->str, "%15[A-Z] %*d %63[^:]:%d", why, host, &port) != 3) fail(reply->str);
        freeReplyObject(reply);
        open_to(connection, host, port);
        if (!strcmp(why, "ASK")) freeReplyObject(send_words(connection, WORDS("ASKING")));
    }
    fail("sent from node to node");
    return NULL;
}

static redisReply *member(redisReply *map, const char *name) {
    for (size_t i = 0; i < map->elements; i += 2)
        if (!strcmp(map->element[i]->str, name)) return map->element[i + 1];
    fail(name);
    return NULL;
}

// The words of an array, in order, with commas. The caller frees them.
static char *joined(redisReply *array) {
    char *text = strdup("");
    for (size_t i = 0; i < array->elements; i++) {
        char *longer;
        if (asprintf(&longer, "%s%s%s", text, i ? "," : "", array->element[i]->str) < 0) fail("out of memory");
        free(text);
        text = longer;
    }
    return text;
}

// Stands in for the service that computes prices.
static const char *upstream(const char *id) {
    (void)id;
    return "571";
}

// The rows of 4711 and 4712. The pod that claims a missing row fetches it; the others wait.
static redisReply *prices(Connection *db, Connection *waiting, const char *table, const char *expires) {
    for (int tries = 5; tries > 0; tries--) {
        redisReply *claim =
            call(db, WORDS("VEHPRICE.CLAIM", table, "PX", "5000", "FIELDS", "1", "pricingId", "IDS", "4711", "4712"));
        redisReply *token = member(claim, "token"), *claimed = member(claim, "claimed");
        if (token->type == REDIS_REPLY_STRING) {
            printf("asked %s\n", joined(claimed));
            const char *words[10 + 2 * 2 + 1] = {"VEHPRICE.MSET", table, "TOKEN", token->str, "PXAT", expires,
                                                 "FIELDS", "1", "pricingId", "ROWS"};
            for (size_t i = 0; i < claimed->elements; i++) {
                words[10 + 2 * i] = claimed->element[i]->str;
                words[11 + 2 * i] = upstream(claimed->element[i]->str);
            }
            freeReplyObject(call(db, words));
        } else if (member(claim, "pending")->elements) {
            freeReplyObject(call(waiting, WORDS("VEHPRICE.MGET", table, "FIELDS", "1", "pricingId", "BLOCK", BLOCK_MS, "IDS",
                                               "4711", "4712")));
        } else {
            return member(claim, "rows");
        }
        freeReplyObject(claim);
    }
    fail("no prices");
    return NULL;
}

int main(int count, char **args) {
    char host[64] = "127.0.0.1";
    int port = 6379;
    const char *url = getenv("REDIS_URL");
    if (url && sscanf(url, "redis://%63[^:@/]:%63[^@/]@%63[^:]:%d", user, password, host, &port) != 4) {
        *password = 0;
        sscanf(url, "redis://%63[^:]:%d", host, &port);
    }
    // A call that waits blocks its connection for up to BLOCK: it has one of its own, with a longer time-out.
    Connection db = {NULL, 2}, waiting = {NULL, atoi(BLOCK_MS) / 1000 + 1};
    open_to(&db, host, port);
    open_to(&waiting, host, port);

    // The map creates the lock or shares the one in force, and shows prices under it.
    char name[128], table[256], expires[32];
    snprintf(name, sizeof name, "hermes:LockedQuoteInfo:%s", count > 1 ? args[1] : "42");
    redisReply *lock = call(&db, WORDS("QUOTELOCK.ACQUIRE", name, "[\"3\",\"7\"]", "*", "ALIGN", "60"));
    const char *moment = member(lock, "queryTime")->str;
    char *roles = joined(member(lock, "roleIds"));
    snprintf(table, sizeof table, "hermes:prices:{%s}:%s", moment, roles);
    struct tm time = {0};
    strptime(moment, "%Y-%m-%dT%H:%M:%S", &time);
    // Align and ttl: when the last lock with this queryTime expires.
    snprintf(expires, sizeof expires, "%lld", timegm(&time) * 1000LL + 60000 + 360000);
    redisReply *rows = prices(&db, &waiting, table, expires);
    const char *seen = rows->element[0]->element[0]->str;
    printf("map %s %s,%s\n", roles, seen, rows->element[1]->element[0]->str);

    // Reserving only reads, and compares the price with the one that the user saw.
    redisReply *held = call(&db, WORDS("QUOTELOCK.GET", name));
    redisReply *verified = call(&db, WORDS("VEHPRICE.VERIFY", table, "4711", "pricingId", seen));
    printf("reserve %s lock as %s\n", member(verified, "verdict")->str, held->type == REDIS_REPLY_ARRAY ? "list" : "map");
    return 0;
}
