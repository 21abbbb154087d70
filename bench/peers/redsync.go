package main

import (
	"context"
	"errors"
	"time"

	"github.com/go-redsync/redsync/v4"
	driver "github.com/go-redsync/redsync/v4/redis"
	"github.com/go-redsync/redsync/v4/redis/goredis/v9"
	"github.com/redis/go-redis/v9"
)

var redsyncSends = []string{"set", "eval", "evalsha"}

type redsyncPeer struct {
	sync    *redsync.Redsync
	options []redsync.Option
	clients []*redis.Client
}

// redsyncWith leaves all else as redsync and go-redis have it.
func redsyncWith(failFast bool) func([]string, time.Duration) (peer, error) {
	return func(nodes []string, ttl time.Duration) (peer, error) {
		options := []redsync.Option{redsync.WithExpiry(ttl), redsync.WithFailFast(failFast)}
		p := &redsyncPeer{options: options}
		var pools []driver.Pool
		for _, node := range nodes {
			client := redis.NewClient(&redis.Options{Addr: node})
			p.clients = append(p.clients, client)
			pools = append(pools, goredis.NewPool(client))
		}
		p.sync = redsync.New(pools...)
		return p, nil
	}
}

func (p *redsyncPeer) close() {
	for _, client := range p.clients {
		client.Close()
	}
}

func (p *redsyncPeer) lock(resource string) lock {
	return redsyncLock{p.sync.NewMutex(resource, p.options...)}
}

type redsyncLock struct {
	mutex *redsync.Mutex
}

func (l redsyncLock) acquire(ctx context.Context) error {
	return l.mutex.LockContext(ctx)
}

// One node may fail while a quorum does not: only the answer counts.
func (l redsyncLock) release() error {
	ok, err := l.mutex.Unlock()
	if ok {
		return nil
	}
	if err == nil {
		err = errors.New("not unlocked")
	}
	return err
}
