package main

import (
	"context"
	"maps"
	"slices"
	"time"
)

// peer is another library, connected.
type peer interface {
	// lock makes a worker's own handle on a resource.
	lock(resource string) lock
	close()
}

type lock interface {
	// acquire waits, in the library's own way, until the lock is granted or ctx ends.
	acquire(ctx context.Context) error
	release() error
}

// kind is how a library is driven.
type kind struct {
	connect func(nodes []string, ttl time.Duration) (peer, error)
	// single: for one deployment; of the nodes only the first is used.
	single bool
	// sends are the commands that it sends; others are called by its scripts.
	sends []string
}

var kinds = map[string]kind{
	"redsync":           {redsyncWith(false), false, redsyncSends},
	"redsync-failfast":  {redsyncWith(true), false, redsyncSends},
	"rueidislock":       {rueidislockWith(1, true), true, rueidislockSends},
	"rueidislock-3keys": {rueidislockWith(2, false), true, rueidislockSends},
}

func kindNames() []string {
	return slices.Sorted(maps.Keys(kinds))
}
