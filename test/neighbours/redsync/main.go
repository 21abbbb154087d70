// A neighbour that takes the lock with redsync, as it comes.
//
// usage: redsync RESOURCE TTL_MS HOLD_MS THINK_MS INSIDE LOG HOST:PORT...
//
// What it writes to LOG, and INSIDE, are as in ours.c. TERM ends it.
package main

import (
	"context"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/go-redsync/redsync/v4"
	driver "github.com/go-redsync/redsync/v4/redis"
	"github.com/go-redsync/redsync/v4/redis/goredis/v9"
	"github.com/redis/go-redis/v9"
	"golang.org/x/sys/unix"
)

// One stay in so many is extended before it ends.
const extendEach = 8

func monotonicNs() int64 {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		log.Fatal(err)
	}
	return now.Nano()
}

func ms(word string) time.Duration {
	number, err := strconv.Atoi(word)
	if err != nil {
		log.Fatal(err)
	}
	return time.Duration(number) * time.Millisecond
}

func connect(addresses []string) *redsync.Redsync {
	var pools []driver.Pool
	for _, address := range addresses {
		pools = append(pools, goredis.NewPool(redis.NewClient(&redis.Options{Addr: address})))
	}
	return redsync.New(pools...)
}

// stay is entered as soon as the lock is granted, and left before it is given back.
func stay(mutex *redsync.Mutex, inside string, hold time.Duration, extend bool) (int64, int64, string) {
	entered := monotonicNs()
	file, err := os.OpenFile(inside, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err == nil {
		file.Close()
	}
	time.Sleep(hold)
	if extend {
		// If it fails, what the mutex says of its end is what counts.
		_, _ = mutex.Extend()
	}
	if err == nil {
		os.Remove(inside)
	}
	left := monotonicNs()
	switch {
	case err != nil:
		return entered, left, "clash"
	case !time.Now().Before(mutex.Until()):
		return entered, left, "late"
	}
	return entered, left, "valid"
}

func main() {
	if len(os.Args) < 8 {
		log.Fatal("usage: redsync RESOURCE TTL_MS HOLD_MS THINK_MS INSIDE LOG HOST:PORT...")
	}
	resource, ttl, hold, think := os.Args[1], ms(os.Args[2]), ms(os.Args[3]), ms(os.Args[4])
	inside := os.Args[5]
	stays, err := os.Create(os.Args[6])
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	mutex := connect(os.Args[7:]).NewMutex(resource, redsync.WithExpiry(ttl))
	for count := 1; ctx.Err() == nil; count++ {
		asked := monotonicNs()
		// It gives up after so many tries, and starts over.
		for ctx.Err() == nil && mutex.LockContext(ctx) != nil {
		}
		if ctx.Err() != nil {
			return
		}
		entered, left, word := stay(mutex, inside, hold, count%extendEach == 0)
		fmt.Fprintln(stays, entered, left, entered-asked, word)
		// One node may fail while a quorum does not; what stays there dies by itself.
		_, _ = mutex.Unlock()
		time.Sleep(time.Duration(rand.Int64N(int64(think) + 1)))
	}
}
