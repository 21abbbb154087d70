package main

import (
	"slices"
	"sync"
	"time"
)

// timeline keeps how long cycles took, moment for moment. They count where they began.
type timeline struct {
	mutex     sync.Mutex
	begin     time.Time // None before the window.
	interval  time.Duration
	intervals []moment
}

// moment is all that began in one interval.
type moment struct {
	acquire, cycle []time.Duration
	errors         int
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

// at is the moment of a cycle that began at start, locked; nil where it is of none.
func (t *timeline) at(start time.Time) *moment {
	at := start.Sub(t.begin)
	if t.begin.IsZero() || at < 0 || int(at/t.interval) >= len(t.intervals) {
		return nil
	}
	return &t.intervals[at/t.interval]
}

func (t *timeline) change(start time.Time, change func(*moment)) {
	if t == nil {
		return
	}
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if moment := t.at(start); moment != nil {
		change(moment)
	}
}

func (t *timeline) granted(start, end time.Time) {
	t.change(start, func(m *moment) { m.acquire = append(m.acquire, end.Sub(start)) })
}

func (t *timeline) finished(start, end time.Time) {
	t.change(start, func(m *moment) { m.cycle = append(m.cycle, end.Sub(start)) })
}

// failed cycles kept their caller as long as others.
func (t *timeline) failed(start, end time.Time) {
	t.change(start, func(m *moment) {
		m.errors++
		m.cycle = append(m.cycle, end.Sub(start))
	})
}

// toldMoment is a moment in JSON; README.md has the names.
type toldMoment struct {
	Granted    int      `json:"granted"`
	Errors     int      `json:"errors"`
	AcquireP50 *float64 `json:"acquire_p50_us"`
	AcquireMax *float64 `json:"acquire_max_us"`
	CycleP50   *float64 `json:"cycle_p50_us"`
	CycleMax   *float64 `json:"cycle_max_us"`
}

// middleAndMax are in µs; nil where there is nothing.
func middleAndMax(took []time.Duration) (*float64, *float64) {
	if len(took) == 0 {
		return nil, nil
	}
	slices.Sort(took)
	us := func(at int) *float64 { return rounded(float64(took[at].Nanoseconds()) / 1e3) }
	return us((len(took) - 1) / 2), us(len(took) - 1)
}

func (t *timeline) tell() []toldMoment {
	if t == nil {
		return nil
	}
	told := make([]toldMoment, len(t.intervals))
	for i, moment := range t.intervals {
		told[i] = toldMoment{Granted: len(moment.acquire), Errors: moment.errors}
		told[i].AcquireP50, told[i].AcquireMax = middleAndMax(moment.acquire)
		told[i].CycleP50, told[i].CycleMax = middleAndMax(moment.cycle)
	}
	return told
}
