// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package definitions

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// readJSON reads the one value of a JSON file.
func readJSON(data []byte) (*value, error) {
	r := &jsonReader{data: data, dec: json.NewDecoder(bytes.NewReader(data)), line: 1, budget: newBudget()}
	r.dec.UseNumber()
	v, err := r.read(0)
	if err != nil {
		return nil, r.syntax(err)
	}
	if _, err := r.dec.Token(); !errors.Is(err, io.EOF) {
		if err == nil {
			err = errors.New("something follows the document")
		}
		return nil, r.syntax(err)
	}
	return v, nil
}

type jsonReader struct {
	data   []byte
	dec    *json.Decoder
	budget *budget
	// at and line are how far lines were counted.
	at   int64
	line int
}

// here is the line that the decoder has come to.
func (r *jsonReader) here() int {
	to := min(r.dec.InputOffset(), int64(len(r.data)))
	if to > r.at {
		r.line += bytes.Count(r.data[r.at:to], []byte("\n"))
		r.at = to
	}
	return r.line
}

func (r *jsonReader) syntax(err error) error {
	var own *syntaxError
	if errors.As(err, &own) {
		return own
	}
	line, message := r.here(), err.Error()
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		line = 1 + bytes.Count(r.data[:min(max(0, syntax.Offset), int64(len(r.data)))], []byte("\n"))
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		message = "the document ends too early"
	}
	return &syntaxError{line, message}
}

func (r *jsonReader) read(depth int) (*value, error) {
	t, err := r.dec.Token()
	if err != nil {
		return nil, err
	}
	v := &value{line: r.here()}
	if err := r.budget.take(depth, v.line); err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case json.Delim:
		if t == '[' {
			v.kind = kindList
			return v, r.readList(v, depth)
		}
		v.kind = kindMap
		return v, r.readMap(v, depth)
	case string:
		v.kind, v.text = kindString, t
	case json.Number:
		v.kind, v.text = kindNumber, t.String()
	case bool:
		v.kind, v.text = kindBool, strconv.FormatBool(t)
	}
	return v, nil
}

func (r *jsonReader) readList(v *value, depth int) error {
	for r.dec.More() {
		item, err := r.read(depth + 1)
		if err != nil {
			return err
		}
		v.list = append(v.list, item)
	}
	_, err := r.dec.Token()
	return err
}

func (r *jsonReader) readMap(v *value, depth int) error {
	seen := map[string]bool{}
	for r.dec.More() {
		t, err := r.dec.Token()
		if err != nil {
			return err
		}
		key, ok := t.(string)
		line := r.here()
		if !ok {
			return &syntaxError{line, "a key must be a string"}
		}
		if seen[key] {
			return &syntaxError{line, fmt.Sprintf("the key %q occurs twice", key)}
		}
		seen[key] = true
		content, err := r.read(depth + 1)
		if err != nil {
			return err
		}
		v.fields = append(v.fields, field{key: key, line: line, value: content})
	}
	_, err := r.dec.Token()
	return err
}
