package main

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// How long a worker may still wait for a lock after the last second measured.
const grace = 2 * time.Second

// window is what was seen while measuring.
type window struct {
	open                    atomic.Bool
	length                  time.Duration
	acquire, release, cycle histogram
	errors                  atomic.Int64
	firstError              atomic.Pointer[error]
	clientCPU               time.Duration
	servers                 serverUsage
	rss                     int
	starved                 int // Workers that ended no cycle.
	timeline                *timeline
}

// add counts what ends in the window, whenever it began.
func (w *window) add(to *histogram, took time.Duration) bool {
	if !w.open.Load() {
		return false
	}
	to.add(took)
	return true
}

func (w *window) failed(err error) {
	if w.open.Load() {
		w.errors.Add(1)
		w.firstError.CompareAndSwap(nil, &err)
	}
}

// resource names are new in each run: nothing left of another is in the way.
func resourceOf(p plan, worker int) string {
	if p.shared {
		worker = 0
	}
	return fmt.Sprintf("bench:%s:%d:%d", p.peer, os.Getpid(), worker)
}

// worker has one cycle after the other in flight.
type worker struct {
	lock lock
	hold time.Duration
	seen int // Cycles in the window.
}

// cycle acquires and releases once. False: there was no lock to be had.
func (o *worker) cycle(ctx context.Context, w *window) bool {
	start := time.Now()
	err := o.lock.acquire(ctx)
	granted := time.Now()
	if err != nil {
		w.timeline.failed(start, granted)
		w.failed(fmt.Errorf("acquire: %w", err))
		return false
	}
	w.add(&w.acquire, granted.Sub(start))
	w.timeline.granted(start, granted)
	if o.hold > 0 {
		time.Sleep(o.hold)
	}
	given := time.Now()
	if err := o.lock.release(); err != nil {
		w.timeline.failed(start, time.Now())
		w.failed(fmt.Errorf("release: %w", err))
		return true
	}
	end := time.Now()
	w.add(&w.release, end.Sub(given))
	w.timeline.finished(start, end)
	if w.add(&w.cycle, end.Sub(start)) {
		o.seen++
	}
	return true
}

func (o *worker) work(ctx context.Context, w *window, over *atomic.Bool) {
	for !over.Load() && ctx.Err() == nil {
		if !o.cycle(ctx, w) {
			// Who fails at once must not do nothing else.
			time.Sleep(time.Millisecond)
		}
	}
}

// watch opens the window after the warm-up and closes it in time.
func watch(p plan, w *window, nodes servers) {
	time.Sleep(p.warmup)
	before := nodes.usage()
	cpu, start := clientCPU(), time.Now()
	w.open.Store(true)
	if p.interval > 0 {
		w.timeline.start(start)
		fmt.Println("begin")
	}
	time.Sleep(p.measured)
	w.open.Store(false)
	w.length, w.clientCPU = time.Since(start), clientCPU()-cpu
	after := nodes.usage()
	w.servers = serverUsage{after.cpuUs - before.cpuUs, after.commands - before.commands}
	w.rss = peakRSS()
}

// measure runs the plan to its end. All workers have ended when it returns.
func measure(p plan) (*window, error) {
	kind := kinds[p.peer]
	if kind.single {
		p.nodes = p.nodes[:1]
	}
	nodes := watchServers(p.nodes, kind.sends)
	defer nodes.close()
	peer, err := kind.connect(p.nodes, p.ttl)
	if err != nil {
		return nil, err
	}
	defer peer.close()
	// Not by a deadline: there are libraries that would shorten their leases to it.
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()

	var w window
	if p.interval > 0 {
		w.timeline = newTimeline(p.measured, p.interval)
	}
	var over atomic.Bool
	var running sync.WaitGroup
	workers := make([]worker, p.concurrency)
	for i := range workers {
		workers[i] = worker{lock: peer.lock(resourceOf(p, i)), hold: p.hold}
		running.Go(func() { workers[i].work(ctx, &w, &over) })
	}
	watch(p, &w, nodes)
	over.Store(true)
	time.AfterFunc(grace, cancel)
	running.Wait()
	for i := range workers {
		if workers[i].seen == 0 {
			w.starved++
		}
	}
	return &w, nil
}
