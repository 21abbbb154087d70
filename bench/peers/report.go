package main

import (
	"encoding/json"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
)

// told is one run. Its names, and what they mean, are in README.md.
type told struct {
	Who        string              `json:"who"`
	Versions   map[string]string   `json:"versions"`
	Nodes      int                 `json:"nodes"`
	InFlight   int                 `json:"in_flight"`
	Resources  int                 `json:"resources"`
	TTL        int64               `json:"ttl_ms"`
	Hold       int64               `json:"hold_us"`
	Measured   float64             `json:"measured_s"`
	Cycles     int64               `json:"cycles"`
	Errors     int64               `json:"errors"`
	FirstError string              `json:"first_error"`
	Starved    int                 `json:"starved"`
	Figures    map[string]*float64 `json:"figures"`
	Ranks      []*float64          `json:"acquire_ranks_us"`
	Interval   int64               `json:"interval_ms,omitempty"`
	Intervals  []toldMoment        `json:"intervals,omitempty"`
}

// rounded keeps as many digits as can mean something. Nothing is told of what is 0 by 0.
func rounded(value float64) *float64 {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return nil
	}
	value = math.Round(value*100) / 100
	return &value
}

var shares = map[string]float64{"p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999, "max": 1}

func addQuantiles(figures map[string]*float64, step string, h *histogram) {
	for name, share := range shares {
		figures[step+"_"+name+"_us"] = rounded(h.quantile(share) / 1e3)
	}
}

// versions are of the Go toolchain and of the libraries that have to do with locks.
func versions() map[string]string {
	all := map[string]string{"go": runtime.Version()}
	if built, ok := debug.ReadBuildInfo(); ok {
		for _, each := range built.Deps {
			if strings.Contains(each.Path, "redis") || strings.Contains(each.Path, "redsync") {
				all[each.Path] = each.Version
			}
		}
	}
	return all
}

func figuresOf(w *window) map[string]*float64 {
	cycles := float64(w.cycle.count.Load())
	figures := map[string]*float64{
		"cycles_per_s":            rounded(cycles / w.length.Seconds()),
		"client_cpu_us_per_cycle": rounded(float64(w.clientCPU.Nanoseconds()) / 1e3 / cycles),
		"server_cpu_us_per_cycle": rounded(w.servers.cpuUs / cycles),
		"commands_per_cycle":      rounded(w.servers.commands / cycles),
		"rss_mib":                 rounded(float64(w.rss) / 1024),
	}
	addQuantiles(figures, "acquire", &w.acquire)
	addQuantiles(figures, "release", &w.release)
	addQuantiles(figures, "cycle", &w.cycle)
	return figures
}

func tell(p plan, w *window) told {
	t := told{
		Who: p.peer, Versions: versions(), Nodes: len(p.nodes),
		InFlight: p.concurrency, Resources: p.concurrency,
		TTL: p.ttl.Milliseconds(), Hold: p.hold.Microseconds(), Measured: w.length.Seconds(),
		Cycles: w.cycle.count.Load(), Errors: w.errors.Load(), Starved: w.starved,
		Figures: figuresOf(w), Ranks: ranksOf(&w.acquire),
		Interval: p.interval.Milliseconds(), Intervals: w.timeline.tell(),
	}
	if p.shared {
		t.Resources = 1
	}
	if kinds[p.peer].single {
		t.Nodes = 1
	}
	if first := w.firstError.Load(); first != nil {
		t.FirstError = (*first).Error()
	}
	return t
}

func report(p plan, w *window, file string) error {
	text, err := json.MarshalIndent(tell(p, w), "", "  ")
	if err != nil {
		return err
	}
	text = append(text, '\n')
	if file == "-" {
		_, err = os.Stdout.Write(text)
		return err
	}
	return os.WriteFile(file, text, 0o644)
}
