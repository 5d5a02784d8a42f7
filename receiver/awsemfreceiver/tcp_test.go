// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsemfreceiver

import (
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// inParts reads a text in random parts.
type inParts struct {
	text string
	rng  *rand.Rand
}

func (p *inParts) Read(b []byte) (int, error) {
	if p.text == "" {
		return 0, io.EOF
	}
	n := min(1+p.rng.IntN(200), len(b), len(p.text))
	copy(b, p.text[:n])
	p.text = p.text[n:]
	return n, nil
}

// However a text arrives, the lines that are not too long come out whole and in order.
func TestLineBuffer(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 1))
		limit := 50 + rng.IntN(300)
		var text strings.Builder
		var want []string
		wantTooLong := 0
		for range rng.IntN(50) {
			line := strings.Repeat("x", rng.IntN(400))
			text.WriteString(line + "\n")
			want = append(want, line)
		}
		last := strings.Repeat("y", rng.IntN(400))
		text.WriteString(last)

		b := lineBuffer{limit: limit}
		src := &inParts{text.String(), rng}
		var got []string
		tooLong := 0
		for {
			err := b.read(src)
			s, n := b.take()
			tooLong += n
			for line := range strings.Lines(s) {
				got = append(got, strings.TrimSuffix(line, "\n"))
			}
			if err != nil {
				break
			}
		}
		rest := b.rest()
		// Lines a little too long may come out when their end came with the same read; the worker refuses them.
		i := 0
		for _, line := range want {
			if i < len(got) && got[i] == line {
				i++
				continue
			}
			require.Greater(t, len(line), limit, "seed %d: lost a line", seed)
			wantTooLong++
		}
		require.Equal(t, len(got), i, "seed %d", seed)
		if len(last) <= limit {
			require.Equal(t, last, rest)
		} else {
			require.Empty(t, rest)
			wantTooLong++
		}
		require.Equal(t, wantTooLong, tooLong, "seed %d", seed)
	}
}
