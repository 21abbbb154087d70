package main

import (
	"testing"
	"time"
)

func TestRanksEndWhereTheSamplesDo(t *testing.T) {
	var h histogram
	for us := 1; us <= 100; us++ {
		h.add(time.Duration(us) * time.Microsecond)
	}
	values := ranksOf(&h)
	last := 2 * ranksPerDecade
	if values[last] == nil || *values[last] < 98 || *values[last] > 100 {
		t.Errorf("99 %%: %v", values[last])
	}
	if values[last+1] != nil {
		t.Errorf("above 99 %% there is nothing: %f", *values[last+1])
	}
}
