package main

import (
	"slices"
	"sync"
	"time"
)

// timeline keeps how long acquiring took, moment for moment. A wait counts where it began.
type timeline struct {
	mutex     sync.Mutex
	begin     time.Time // None before the window.
	interval  time.Duration
	intervals []moment
}

// moment is all that was asked for in one interval.
type moment struct {
	took   []time.Duration
	errors int
}

func newTimeline(length, interval time.Duration) *timeline {
	return &timeline{interval: interval, intervals: make([]moment, length/interval+1)}
}

// start opens it. There may be none.
func (t *timeline) start(now time.Time) {
	if t != nil {
		t.mutex.Lock()
		t.begin = now
		t.mutex.Unlock()
	}
}

func (t *timeline) add(start, end time.Time, fine bool) {
	if t == nil {
		return
	}
	t.mutex.Lock()
	defer t.mutex.Unlock()
	at := start.Sub(t.begin)
	if t.begin.IsZero() || at < 0 || int(at/t.interval) >= len(t.intervals) {
		return
	}
	moment := &t.intervals[at/t.interval]
	if fine {
		moment.took = append(moment.took, end.Sub(start))
	} else {
		moment.errors++
	}
}

// toldMoment is a moment in JSON; README.md has the names.
type toldMoment struct {
	Granted int      `json:"granted"`
	Errors  int      `json:"errors"`
	P50     *float64 `json:"p50_us"`
	Max     *float64 `json:"max_us"`
}

func (t *timeline) tell() []toldMoment {
	if t == nil {
		return nil
	}
	told := make([]toldMoment, len(t.intervals))
	for i, moment := range t.intervals {
		told[i] = toldMoment{Granted: len(moment.took), Errors: moment.errors}
		if len(moment.took) > 0 {
			slices.Sort(moment.took)
			told[i].P50 = rounded(float64(moment.took[(len(moment.took)-1)/2].Nanoseconds()) / 1e3)
			told[i].Max = rounded(float64(moment.took[len(moment.took)-1].Nanoseconds()) / 1e3)
		}
	}
	return told
}
