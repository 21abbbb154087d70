package main

import (
	"context"
	"time"

	"github.com/redis/rueidis"
	"github.com/redis/rueidis/rueidislock"
)

var rueidislockSends = []string{"eval", "evalsha"}

type rueidislockPeer struct {
	locker rueidislock.Locker
}

// rueidislockWith is for one deployment: of the nodes only the first is used.
func rueidislockWith(majority int32, noLoop bool) func([]string, time.Duration) (peer, error) {
	return func(nodes []string, ttl time.Duration) (peer, error) {
		locker, err := rueidislock.NewLocker(rueidislock.LockerOption{
			ClientOption:   rueidis.ClientOption{InitAddress: nodes[:1]},
			KeyMajority:    majority,
			KeyValidity:    ttl,
			NoLoopTracking: noLoop,
		})
		if err != nil {
			return nil, err
		}
		return &rueidislockPeer{locker}, nil
	}
}

func (p *rueidislockPeer) close() {
	p.locker.Close()
}

func (p *rueidislockPeer) lock(resource string) lock {
	return &rueidislockLock{locker: p.locker, resource: resource}
}

type rueidislockLock struct {
	locker   rueidislock.Locker
	resource string
	giveBack context.CancelFunc
}

func (l *rueidislockLock) acquire(ctx context.Context) error {
	_, giveBack, err := l.locker.WithContext(ctx, l.resource)
	l.giveBack = giveBack
	return err
}

// It returns when all keys are given back, and has no way to tell that one was not.
func (l *rueidislockLock) release() error {
	l.giveBack()
	return nil
}
