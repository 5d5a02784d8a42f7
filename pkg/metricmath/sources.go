// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package metricmath

// sources are what a query reads, itself and through others: places among the program's metrics and searches.
type sources struct {
	metrics, searches bitset
	// given are places among the program's queries.
	given  bitset
	traits traits
}

func (p *Program) givenSources(place int) sources {
	s := sources{
		metrics: newBitset(len(p.metrics)), searches: newBitset(MaxSearches), given: newBitset(len(p.queries)),
		traits: traits{given: true},
	}
	s.given.add(place)
	return s
}

// sourcesOf is asked in order of evaluation. The searches of the query itself are the program's from the place on.
func (p *Program) sourcesOf(q *Query, places map[string]int, ownSearches int) sources {
	s := sources{metrics: newBitset(len(p.metrics)), searches: newBitset(MaxSearches), given: newBitset(len(p.queries))}
	s.traits = p.traitsOf(q.Expr.root)
	for i := ownSearches; i < len(p.searches) && i < MaxSearches; i++ {
		s.searches.add(i)
	}
	for _, id := range q.Expr.ids() {
		if place, ok := places[id.name]; ok {
			s.metrics.add(place)
			continue
		}
		other := &p.sources[p.index[id.name]]
		s.metrics.addAll(other.metrics)
		s.searches.addAll(other.searches)
		s.given.addAll(other.given)
	}
	walk(q.Expr.root, func(n node) {
		if call, ok := n.(*callNode); ok && call.fn.name == "METRICS" {
			for _, id := range metricsNamed(p.metrics, call) {
				s.metrics.add(places[id])
			}
		}
	})
	return s
}

type bitset []uint64

func newBitset(n int) bitset { return make(bitset, (n+63)/64) }

func (b bitset) add(i int)      { b[i/64] |= 1 << (i % 64) }
func (b bitset) has(i int) bool { return b[i/64]>>(i%64)&1 == 1 }

func (b bitset) addAll(other bitset) {
	for i, word := range other {
		b[i] |= word
	}
}
