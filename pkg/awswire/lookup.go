// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awswire

import (
	"context"
	"reflect"
)

// Lookup returns the handler of an operation that the service has, for another operation to call. I and O are the types of
// its input and output. ok is false when there is none, or one of other types.
func Lookup[I, O any](s *Service, name string) (fn func(context.Context, *I) (*O, error), ok bool) {
	op := s.operations[name]
	if op == nil || op.call == nil || op.Input != reflect.TypeFor[I]() || op.Output != reflect.TypeFor[O]() {
		return nil, false
	}
	return func(ctx context.Context, in *I) (*O, error) {
		out, err := op.call(ctx, in)
		if err != nil {
			return nil, err
		}
		return out.(*O), nil
	}, true
}
