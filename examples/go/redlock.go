// Package redlock is libredlock for Go, by cgo upon redlock/blocking.h.
//
//	nodes, err := redlock.Open([]string{"redis://a", "redis://b", "redis://c"}, nil)
//	defer nodes.Close()
//	lock, err := nodes.Lock(ctx, "jobs:42", &redlock.Options{Renew: true})
//	defer lock.Unlock()
//	... as long as lock.Held()
//
// Copy redlock.go and errors.go into a folder of your module; pkg-config has to know the library.
// Whoever waits keeps a thread of the system, until its context ends. A lock is a lease: it can end
// before it is given back, so ask Held right before what it guards.
package redlock

/*
#cgo pkg-config: redlock
#include <redlock/blocking.h>
#include <stdlib.h>
*/
import "C"

import (
	"context"
	"runtime"
	"sync"
	"time"
	"unsafe"
)

// Options of a client, or of one lock. Zero means the default.
type Options struct {
	TTL    time.Duration // Length of the lease.
	MaxTTL time.Duration // Clients: no other one of these nodes has a longer TTL.
	Renew  bool          // Locks: renew it until it is given back.
	Fence  bool          // Locks: with a fencing token.
}

func ms(length time.Duration) C.uint32_t {
	return C.uint32_t((length + time.Millisecond - 1) / time.Millisecond)
}

// Client is connected to all nodes.
type Client struct {
	guard  sync.RWMutex
	handle *C.struct_redlock_blocking
}

// Open does not wait for connections: a first Lock does.
func Open(urls []string, options *Options) (*Client, error) {
	var given C.struct_redlock_options
	var why C.struct_redlock_error
	client := &Client{}

	C.redlock_options_init_sized(&given, C.sizeof_struct_redlock_options)
	if options != nil && options.TTL != 0 {
		given.ttl_ms = ms(options.TTL)
	}
	if options != nil && options.MaxTTL != 0 {
		given.max_ttl_ms = ms(options.MaxTTL)
	}
	texts := make([]*C.char, len(urls)+1)
	for i, url := range urls {
		texts[i] = C.CString(url)
		defer C.free(unsafe.Pointer(texts[i]))
	}
	status := C.redlock_blocking_open(&client.handle, &texts[0], C.size_t(len(urls)), &given, &why)
	if status != 0 {
		return nil, failure(status, &why)
	}
	return client, nil
}

// Close gives back what is held, and ends waits.
func (client *Client) Close() {
	client.guard.Lock()
	defer client.guard.Unlock()
	C.redlock_blocking_close(client.handle)
	client.handle = nil // Nothing can be locked with it any more.
}

// Lock is held until Unlock, or until its lease is over.
type Lock struct{ handle *C.struct_redlock_mutex }

func (client *Client) mutex(resource string, options *Options) (*Lock, error) {
	var given C.struct_redlock_lock_options
	lock := &Lock{}

	C.redlock_lock_options_init_sized(&given, C.sizeof_struct_redlock_lock_options)
	if options != nil {
		given.ttl_ms = ms(options.TTL)
		given.auto_renew = C.bool(options.Renew)
		given.fence = C.bool(options.Fence)
	}
	name := C.CBytes([]byte(resource))
	defer C.free(name)
	client.guard.RLock()
	defer client.guard.RUnlock()
	status := C.redlock_mutex_new(&lock.handle, client.handle, name, C.size_t(len(resource)), &given)
	if status != 0 {
		return nil, &Error{Status(status).Error(), Status(status)}
	}
	// What is still held then is given back. Until then: KeepAlive, while C is at it.
	runtime.SetFinalizer(lock, func(lock *Lock) { C.redlock_mutex_free(lock.handle) })
	return lock, nil
}

// TryLock asks once; an error that is ErrHeld: somebody else has it.
func (client *Client) TryLock(resource string, options *Options) (*Lock, error) {
	return client.take(context.Background(), resource, options, 0)
}

// Lock waits until the context ends; the error is the context's then, or ErrNoQuorum.
func (client *Client) Lock(ctx context.Context, resource string, options *Options) (*Lock, error) {
	if ctx.Err() != nil {
		return nil, &Error{resource + ": " + ctx.Err().Error(), ctx.Err()}
	}
	deadline, ends := ctx.Deadline()
	if !ends {
		return client.take(ctx, resource, options, C.REDLOCK_WAIT_FOREVER)
	}
	return client.take(ctx, resource, options, C.uint64_t(1+time.Until(deadline).Milliseconds()))
}

func (client *Client) take(ctx context.Context, resource string, options *Options, wait C.uint64_t) (*Lock, error) {
	var why C.struct_redlock_error
	var watcher sync.WaitGroup

	lock, err := client.mutex(resource, options)
	if err != nil {
		return nil, err
	}
	over := make(chan struct{})
	watcher.Add(1)
	go func() {
		defer watcher.Done()
		lock.cancelWhenDone(ctx, over)
	}()
	status := C.redlock_mutex_lock(lock.handle, wait, &why)
	close(over)
	watcher.Wait()
	switch status {
	case 0:
		return lock, nil
	case C.REDLOCK_ECANCELED:
		return nil, &Error{C.GoString(&why.text[0]), ctx.Err()}
	case C.REDLOCK_ETIMEDOUT:
		return nil, &Error{C.GoString(&why.text[0]), context.DeadlineExceeded}
	}
	return nil, failure(status, &why)
}

// cancelWhenDone ends a wait that does not end by itself.
func (lock *Lock) cancelWhenDone(ctx context.Context, over <-chan struct{}) {
	select {
	case <-over:
	case <-ctx.Done():
	}
	for ctx.Err() == context.Canceled {
		C.redlock_mutex_cancel(lock.handle)
		select {
		case <-over:
			return
		case <-time.After(5 * time.Millisecond): // It may not have begun, so once more.
		}
	}
}

// Unlock gives it back. ErrExpired, ErrLost: it was not ours any more.
func (lock *Lock) Unlock() error {
	var why C.struct_redlock_error
	defer runtime.KeepAlive(lock)

	return failure(C.redlock_mutex_unlock(lock.handle, &why), &why)
}

// Extend renews the lease for its full TTL. A failure changes nothing.
func (lock *Lock) Extend() error {
	var why C.struct_redlock_error
	defer runtime.KeepAlive(lock)

	return failure(C.redlock_mutex_extend(lock.handle, &why), &why)
}

// Held is true while the lease is valid, at this moment: nobody is asked.
func (lock *Lock) Held() bool {
	defer runtime.KeepAlive(lock)
	return bool(C.redlock_mutex_held(lock.handle))
}

// Validity is what is left of the lease.
func (lock *Lock) Validity() time.Duration {
	defer runtime.KeepAlive(lock)
	return time.Duration(C.redlock_mutex_validity_ms(lock.handle)) * time.Millisecond
}

// Fence is the fencing token; 0 if it is not held, or has none.
func (lock *Lock) Fence() uint64 {
	defer runtime.KeepAlive(lock)
	return uint64(C.redlock_mutex_fence(lock.handle))
}
