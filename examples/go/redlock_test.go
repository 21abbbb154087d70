package redlock

// On the servers in REDLOCK_NODES: see test_go.sh.

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

func opened(t *testing.T) *Client {
	t.Helper()
	if os.Getenv("REDLOCK_NODES") == "" {
		t.Skip("REDLOCK_NODES is not set")
	}
	client, err := Open(strings.Split(os.Getenv("REDLOCK_NODES"), ","), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func taken(t *testing.T, client *Client, resource string, options *Options) *Lock {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	lock, err := client.Lock(ctx, resource, options)
	if err != nil {
		t.Fatal(err)
	}
	return lock
}

func TestALockIsTakenExtendedAndGivenBack(t *testing.T) {
	client := opened(t)
	lock := taken(t, client, "go:a", &Options{Fence: true})
	if !lock.Held() || lock.Validity() == 0 || lock.Fence() == 0 {
		t.Error("not held", lock.Held(), lock.Validity(), lock.Fence())
	}
	_, err := client.TryLock("go:a", nil)
	if !errors.Is(err, ErrHeld) || !strings.Contains(err.Error(), ": held") {
		t.Error(err)
	}
	first := lock.Fence()
	if err := lock.Extend(); err != nil {
		t.Error(err)
	}
	if err := lock.Unlock(); err != nil || lock.Held() {
		t.Error(err)
	}
	if again := taken(t, client, "go:a", &Options{Fence: true}); again.Fence() <= first {
		t.Error("fence", first, again.Fence())
	}
}

func TestAContextEndsAWait(t *testing.T) {
	client := opened(t)
	holder := taken(t, client, "go:b", &Options{Renew: true})
	for _, pause := range []time.Duration{0, time.Millisecond, 100 * time.Millisecond} {
		ctx, cancel := context.WithCancel(context.Background())
		go func() {
			time.Sleep(pause)
			cancel()
		}()
		if _, err := client.Lock(ctx, "go:b", nil); !errors.Is(err, context.Canceled) {
			t.Error(pause, err)
		}
		if _, err := client.Lock(ctx, "go:b", nil); !errors.Is(err, context.Canceled) {
			t.Error("a context that is over:", err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := client.Lock(ctx, "go:b", nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if !holder.Held() {
		t.Error("it disturbed the holder")
	}
	if err := holder.Unlock(); err != nil {
		t.Error(err)
	}
	taken(t, client, "go:b", nil) // None of those who gave up has got it.
}

func TestGoroutinesOfTwoClientsTakeTurns(t *testing.T) {
	const turns = 10
	clients := []*Client{opened(t), opened(t)}
	count, inside := 0, 0
	var all sync.WaitGroup

	for i := 0; i < 8; i++ {
		all.Add(1)
		go func(client *Client) {
			defer all.Done()
			for turn := 0; turn < turns; turn++ {
				lock, err := client.Lock(context.Background(), "go:c", nil)
				if err != nil {
					t.Error(err)
					return
				}
				inside++
				if inside != 1 || !lock.Held() {
					t.Error("not alone")
				}
				count++
				inside--
				if err := lock.Unlock(); err != nil {
					t.Error(err)
				}
			}
		}(clients[i%2])
	}
	all.Wait()
	if count != 8*turns {
		t.Error(count)
	}
}

func TestALostLeaseIsSeen(t *testing.T) {
	client := opened(t)
	lock := taken(t, client, "go:d", &Options{TTL: 500 * time.Millisecond})
	for lock.Held() {
		time.Sleep(lock.Validity())
	}
	if err := lock.Extend(); !errors.Is(err, ErrExpired) {
		t.Error(err)
	}
	if err := lock.Unlock(); !errors.Is(err, ErrExpired) {
		t.Error(err)
	}
	lock = taken(t, client, "go:d", &Options{TTL: 2 * time.Second, Renew: true})
	time.Sleep(3 * time.Second)
	if !lock.Held() {
		t.Error("not renewed")
	}
}

func TestTroubleNamesTheNodes(t *testing.T) {
	nobody, err := Open([]string{"redis://127.0.0.1:1", "redis://127.0.0.1:2"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err = nobody.Lock(ctx, "go:e", nil)
	if !errors.Is(err, ErrNoQuorum) || !strings.Contains(err.Error(), "127.0.0.1:2: unreachable") {
		t.Error(err)
	}
	nobody.Close()
	if _, err := Open([]string{"http://127.0.0.1"}, nil); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
}

func TestAClosedClientHoldsNothing(t *testing.T) {
	client := opened(t)
	ended := make(chan error)
	lock := taken(t, client, "go:f", nil)
	go func() {
		_, err := client.Lock(context.Background(), "go:f", nil)
		ended <- err
	}()
	time.Sleep(50 * time.Millisecond)
	client.Close()
	if err := <-ended; !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if err := lock.Unlock(); lock.Held() || !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if _, err := client.TryLock("go:f", nil); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
}
