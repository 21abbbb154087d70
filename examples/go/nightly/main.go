// Nightly does a job that only one machine may do at a time, and stops when it loses the lock.
//
//	REDLOCK_NODES=redis://a,redis://b,redis://c go run ./nightly
//
// It waits for 5 s at most; Ctrl-C ends the wait, and the job, at once.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"
	"strings"
	"time"

	"redlock"
)

func job(ctx context.Context, lock *redlock.Lock) error {
	for step := 1; step <= 5; step++ {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond): // Stands for work.
		}
		if !lock.Held() {
			return redlock.ErrLost
		}
		fmt.Println("step", step)
	}
	return nil
}

func run() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	nodes, err := redlock.Open(strings.Split(os.Getenv("REDLOCK_NODES"), ","), nil)
	if err != nil {
		return err
	}
	defer nodes.Close()
	patience, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	lock, err := nodes.Lock(patience, "nightly-report", &redlock.Options{Renew: true})
	if err != nil {
		return err
	}
	if err := job(ctx, lock); err != nil {
		return err // Closing gives the lock back.
	}
	return lock.Unlock()
}

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}
