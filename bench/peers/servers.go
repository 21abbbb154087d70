package main

import (
	"context"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// How long a node may take to tell; one that hangs takes longer than we want to wait.
const serverPatience = time.Second

// serverUsage is what nodes have done so far, all of them together; NaN where one does not tell.
type serverUsage struct {
	cpuUs    float64
	commands float64
}

// servers asks the nodes, on connections of its own.
type servers struct {
	clients []*redis.Client
	counted map[string]bool // Lines of INFO commandstats.
}

func watchServers(nodes, sends []string) servers {
	all := servers{counted: map[string]bool{}}
	for _, node := range nodes {
		options := redis.Options{Addr: node, ReadTimeout: serverPatience, MaxRetries: -1}
		all.clients = append(all.clients, redis.NewClient(&options))
	}
	for _, command := range sends {
		all.counted["cmdstat_"+command] = true
	}
	return all
}

func (all servers) close() {
	for _, server := range all.clients {
		server.Close()
	}
}

// usage asks all at once: in a window of seconds the moments of asking hardly count.
func (all servers) usage() serverUsage {
	var asking sync.WaitGroup
	answers := make([]*redis.StringCmd, len(all.clients))
	for i, server := range all.clients {
		asking.Go(func() { answers[i] = server.Info(context.Background(), "cpu", "commandstats") })
	}
	asking.Wait()
	var sum serverUsage
	for _, answer := range answers {
		if told, err := answer.Result(); err == nil {
			all.add(&sum, told)
		} else {
			sum = serverUsage{math.NaN(), math.NaN()}
		}
	}
	return sum
}

// add reads lines such as used_cpu_user:1.5 and cmdstat_set:calls=12,usec=34.
func (all servers) add(sum *serverUsage, told string) {
	for line := range strings.Lines(told) {
		name, text, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch {
		case name == "used_cpu_user" || name == "used_cpu_sys":
			used, _ := strconv.ParseFloat(text, 64)
			sum.cpuUs += used * 1e6
		case all.counted[name]:
			calls, _, _ := strings.Cut(strings.TrimPrefix(text, "calls="), ",")
			count, _ := strconv.ParseFloat(calls, 64)
			sum.commands += count
		}
	}
}
