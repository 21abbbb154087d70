package main

import "math"

// The same ranks as those of redlock-bench: bench/ranks.h.
const (
	ranksPerDecade = 8
	ranks          = 4*ranksPerDecade + 1
)

func rankShare(rank int) float64 {
	return 1 - 1/math.Pow(10, float64(rank)/ranksPerDecade)
}

// ranksOf has the times at all ranks, in µs; nil where fewer than one of the samples is above.
func ranksOf(h *histogram) []*float64 {
	values := make([]*float64, ranks)
	count := float64(h.count.Load())
	for rank := range values {
		share := rankShare(rank)
		// What a product of fractions leaves at the end of the digits is not a sample.
		if count*(1-share) > 1-1e-9 {
			values[rank] = rounded(h.quantile(share) / 1e3)
		}
	}
	return values
}
