// A lock and its prices with redigo: on one server, or by REDIS_MODE in a Cluster, with redisc. RESP2 only.
package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"sort"
	"strings"
	"time"

	"github.com/gomodule/redigo/redis"
	"github.com/mna/redisc"
)

const block = 5 * time.Second

type lock struct {
	RoleIDs   []string
	QueryTime string
}

type row struct {
	PricingID string `json:"pricingId"`
}

type claim struct {
	Token            string
	Claimed, Pending []string
	Rows             []row
}

// Takes a connection from a pool.
type get func() redis.Conn

func connect(timeout time.Duration) get {
	address := must(url.Parse(os.Getenv("REDIS_URL")))
	options := []redis.DialOption{redis.DialReadTimeout(timeout)}
	if password, given := address.User.Password(); given {
		options = append(options, redis.DialUsername(address.User.Username()), redis.DialPassword(password))
	}
	pool := func(host string, options ...redis.DialOption) (*redis.Pool, error) {
		dial := func() (redis.Conn, error) { return redis.Dial("tcp", host, options...) }
		return &redis.Pool{Dial: dial, MaxIdle: 10}, nil
	}
	if os.Getenv("REDIS_MODE") != "cluster" {
		return must(pool(address.Host, options...)).Get
	}
	cluster := &redisc.Cluster{StartupNodes: []string{address.Host}, DialOptions: options, CreatePool: pool}
	check(cluster.Refresh())
	// A connection goes to the node of its first key. Only a RetryConn follows redirects.
	return func() redis.Conn { return must(redisc.RetryConn(cluster.Get(), 5, 100*time.Millisecond)) }
}

func call(db get, command string, args ...any) any {
	connection := db()
	defer connection.Close()
	return must(connection.Do(command, args...))
}

func ask[T any](db get, command string, args ...any) (answer T) {
	check(json.Unmarshal(call(db, command, args...).([]byte), &answer))
	return
}

func text(value any) []byte { return must(json.Marshal(value)) }

// A call that waits blocks its connection for up to BLOCK: it has connections of its own, with a longer time-out.
var db, waiting = connect(2 * time.Second), connect(block + time.Second)

// The rows of these vehicles under a lock. The pod that claims a missing row fetches it; the others wait.
func prices(lock lock, ids []string) (string, []row) {
	sort.Strings(lock.RoleIDs)
	table := fmt.Sprintf("hermes:prices:{%s}:%s", lock.QueryTime, strings.Join(lock.RoleIDs, ","))
	moment := must(time.Parse(time.RFC3339, lock.QueryTime)).UnixMilli()
	expires := moment + 60_000 + 360_000 // align and ttl: when the last lock with this queryTime expires
	for tries := 5; tries > 0; tries-- {
		claim := ask[claim](db, "VEHPRICE.CLAIM", table, "PX", 5000, "JSON", "LIST", text(ids))
		if claim.Token != "" {
			fetched := text(upstream(claim.Claimed))
			call(db, "VEHPRICE.MSET", table, "TOKEN", claim.Token, "PXAT", expires, "JSON", fetched)
		} else if len(claim.Pending) > 0 {
			pending := text(claim.Pending)
			call(waiting, "VEHPRICE.MGET", table, "JSON", "BLOCK", block.Milliseconds(), "LIST", pending)
		} else {
			return table, claim.Rows
		}
	}
	panic("no prices")
}

// Stands in for the service that computes prices.
func upstream(ids []string) map[string]row {
	fmt.Println("asked", strings.Join(ids, ","))
	rows := map[string]row{}
	for _, id := range ids {
		rows[id] = row{PricingID: "571"}
	}
	return rows
}

func main() {
	// The map creates the lock or shares the one in force, and shows prices under it.
	user := "hermes:LockedQuoteInfo:" + append(os.Args, "42")[1]
	lock := ask[lock](db, "QUOTELOCK.ACQUIRE", user, `["3","7"]`, "*", "ALIGN", 60, "JSON")
	table, rows := prices(lock, []string{"4711", "4712"})
	fmt.Printf("map %s %s,%s\n", strings.Join(lock.RoleIDs, ","), rows[0].PricingID, rows[1].PricingID)

	// Reserving only reads, and compares the price with the one that the user saw.
	_, isList := call(db, "QUOTELOCK.GET", user).([]any)
	seen := rows[0].PricingID
	verified := ask[struct{ Verdict string }](db, "VEHPRICE.VERIFY", table, "4711", "pricingId", seen, "JSON")
	fmt.Println("reserve", verified.Verdict, "lock as", map[bool]string{true: "list", false: "map"}[isList])
}

func must[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
