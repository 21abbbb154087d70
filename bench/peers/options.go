package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"
)

// plan is what one run does.
type plan struct {
	peer        string
	nodes       []string // host:port
	concurrency int
	shared      bool // All workers want the same resource.
	ttl         time.Duration
	hold        time.Duration
	warmup      time.Duration
	measured    time.Duration
	interval    time.Duration // Of a timeline; 0: none.
}

func seconds(s float64) time.Duration {
	return time.Duration(s * float64(time.Second))
}

func (p *plan) check(nodes, resources string) error {
	_, known := kinds[p.peer]
	switch {
	case nodes == "":
		return errors.New("-nodes is missing")
	case !known:
		return fmt.Errorf("-peer is one of: %s", strings.Join(kindNames(), " "))
	case resources != "distinct" && resources != "shared":
		return errors.New("-resources is distinct or shared")
	case p.concurrency < 1 || p.concurrency > 100000:
		return errors.New("-concurrency is from 1 to 100000")
	case p.measured <= 0 || p.warmup < 0 || p.hold < 0 || p.interval < 0:
		return errors.New("a time is negative, or there is nothing to measure")
	case p.ttl < 100*time.Millisecond:
		return errors.New("-ttl is too short")
	}
	return nil
}

// parseOptions has told what is wrong when it returns an error.
func parseOptions(args []string) (plan, string, error) {
	var p plan
	flags := flag.NewFlagSet("peers", flag.ContinueOnError)
	flags.StringVar(&p.peer, "peer", "redsync", strings.Join(kindNames(), ", "))
	nodes := flags.String("nodes", "", "host:port,...")
	flags.IntVar(&p.concurrency, "concurrency", 1, "cycles in flight")
	resources := flags.String("resources", "distinct", "distinct: each its own; shared: one")
	flags.DurationVar(&p.ttl, "ttl", 30*time.Second, "lease length")
	flags.DurationVar(&p.hold, "hold", 0, "pause between granted and release: 1ms")
	warmup := flags.Float64("warmup", 0.5, "seconds that are not counted")
	measured := flags.Float64("seconds", 3, "seconds that are")
	flags.DurationVar(&p.interval, "timeline", 0, "tell each such interval by itself: 50ms")
	json := flags.String("json", "-", "file to write to; - is standard output")
	if err := flags.Parse(args); err != nil {
		return p, "", err
	}
	p.shared = *resources == "shared"
	p.nodes = strings.Split(*nodes, ",")
	p.warmup, p.measured = seconds(*warmup), seconds(*measured)
	err := p.check(*nodes, *resources)
	if err == nil && flags.NArg() > 0 {
		err = fmt.Errorf("what is %q?", flags.Arg(0))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
	}
	return p, *json, err
}
