package main

import (
	"math"
	"testing"
	"time"
)

func TestEveryTimeFallsIntoABucketNearIt(t *testing.T) {
	for ns := uint64(1); ns < 1<<62; ns += ns/3 + 1 {
		middle := middleOf(bucketOf(ns))
		if math.Abs(middle-float64(ns)) > float64(ns)/steps {
			t.Fatalf("%d ns is told as %f", ns, middle)
		}
	}
}

func TestTheLongestTimesHaveABucket(t *testing.T) {
	if bucketOf(math.MaxInt64) >= buckets {
		t.Fatal(bucketOf(math.MaxInt64))
	}
}

func TestQuantilesAreRanks(t *testing.T) {
	var h histogram
	for ns := 1; ns <= 100; ns++ {
		h.add(time.Duration(ns))
	}
	for share, want := range map[float64]float64{0.5: 50, 0.9: 90, 0.99: 99, 0.999: 100} {
		if got := h.quantile(share); got != want {
			t.Errorf("%g: %f, not %f", share, got, want)
		}
	}
}

func TestNothingMeasuredIsNoNumber(t *testing.T) {
	var h histogram
	if got := h.quantile(0.5); !math.IsNaN(got) {
		t.Fatal(got)
	}
}
