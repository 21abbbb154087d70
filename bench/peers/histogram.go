package main

import (
	"math"
	"math/bits"
	"sync/atomic"
	"time"
)

const (
	stepBits = 7 // Buckets are not wider than 1/128 of their value.
	steps    = 1 << stepBits
	buckets  = (64 - stepBits) * steps
)

// histogram counts times of any length in constant memory, so that what a run
// keeps is the peer's own. Many workers may add at once.
type histogram struct {
	count   atomic.Int64
	longest atomic.Int64
	bucket  [buckets]atomic.Int64
}

// Up to twice the steps each time has a bucket of its own; from there on the
// buckets double in width with each power of two.
func bucketOf(ns uint64) int {
	shift := max(bits.Len64(ns)-stepBits-1, 0)
	return shift*steps + int(ns>>shift)
}

// middleOf is the time in the middle of a bucket.
func middleOf(bucket int) float64 {
	shift := max(bucket/steps-1, 0)
	lowest := uint64(bucket-shift*steps) << shift
	return float64(lowest) + float64(uint64(1)<<shift-1)/2
}

func (h *histogram) add(took time.Duration) {
	ns := max(took.Nanoseconds(), 0)
	h.count.Add(1)
	h.bucket[bucketOf(uint64(ns))].Add(1)
	for longest := h.longest.Load(); ns > longest; longest = h.longest.Load() {
		if h.longest.CompareAndSwap(longest, ns) {
			break
		}
	}
}

// quantile is the time in ns that the share of samples does not exceed; NaN if there are none.
func (h *histogram) quantile(share float64) float64 {
	count := h.count.Load()
	if count == 0 {
		return math.NaN()
	}
	if share == 1 {
		return float64(h.longest.Load())
	}
	rank := max(int64(math.Ceil(share*float64(count))), 1)
	for i := range h.bucket {
		rank -= h.bucket[i].Load()
		if rank <= 0 {
			return min(middleOf(i), float64(h.longest.Load()))
		}
	}
	return float64(h.longest.Load())
}
