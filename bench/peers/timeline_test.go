package main

import (
	"testing"
	"time"
)

func TestCyclesCountWhereTheyBegan(t *testing.T) {
	line := newTimeline(time.Second, 100*time.Millisecond)
	begin := time.Now()
	line.granted(begin, begin.Add(time.Millisecond)) // Before it has begun.
	line.start(begin)
	line.granted(begin.Add(-1), begin.Add(time.Millisecond))
	line.granted(begin.Add(250*time.Millisecond), begin.Add(950*time.Millisecond))
	line.finished(begin.Add(250*time.Millisecond), begin.Add(2*time.Second))
	line.granted(begin.Add(299*time.Millisecond), begin.Add(300*time.Millisecond))
	line.failed(begin.Add(999*time.Millisecond), begin.Add(2*time.Second))
	line.granted(begin.Add(2*time.Second), begin.Add(3*time.Second))
	told := line.tell()
	if told[2].Granted != 2 || *told[2].AcquireP50 != 1000 || *told[2].AcquireMax != 700000 {
		t.Errorf("%+v", told[2])
	}
	if told[9].Errors != 1 || told[9].Granted != 0 || told[9].AcquireP50 != nil || *told[9].CycleMax != 1001000 {
		t.Errorf("%+v", told[9])
	}
	if *told[2].CycleP50 != 1750000 || *told[2].CycleMax != 1750000 {
		t.Errorf("%+v", told[2])
	}
	granted := 0
	for _, each := range told {
		granted += each.Granted
	}
	if granted != 2 || len(told) != 11 {
		t.Errorf("%d granted in %d", granted, len(told))
	}
}

func TestNoTimelineTellsNothing(t *testing.T) {
	var none *timeline
	none.start(time.Now())
	none.granted(time.Now(), time.Now())
	if none.tell() != nil {
		t.Error("something")
	}
}
