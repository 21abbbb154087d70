package main

import (
	"testing"
	"time"
)

func TestAWaitCountsWhereItBegan(t *testing.T) {
	line := newTimeline(time.Second, 100*time.Millisecond)
	begin := time.Now()
	line.add(begin, begin.Add(time.Millisecond), true) // Before it has begun.
	line.start(begin)
	line.add(begin.Add(-1), begin.Add(time.Millisecond), true)
	line.add(begin.Add(250*time.Millisecond), begin.Add(950*time.Millisecond), true)
	line.add(begin.Add(299*time.Millisecond), begin.Add(300*time.Millisecond), true)
	line.add(begin.Add(999*time.Millisecond), begin.Add(2*time.Second), false)
	line.add(begin.Add(2*time.Second), begin.Add(3*time.Second), true)
	told := line.tell()
	if told[2].Granted != 2 || *told[2].P50 != 1000 || *told[2].Max != 700000 {
		t.Errorf("%+v", told[2])
	}
	if told[9].Errors != 1 || told[9].Granted != 0 || told[9].P50 != nil {
		t.Errorf("%+v", told[9])
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
	none.add(time.Now(), time.Now(), true)
	if none.tell() != nil {
		t.Error("something")
	}
}
