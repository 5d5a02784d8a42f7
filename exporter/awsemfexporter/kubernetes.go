// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsemfexporter

import "encoding/json"

// kubernetesLabel is the object that Container Insights expects in events of pods and containers. Members without a
// value are left out.
type kubernetesLabel struct {
	ContainerName string            `json:"container_name,omitempty"`
	Docker        map[string]string `json:"docker,omitempty"`
	Host          string            `json:"host,omitempty"`
	Labels        map[string]string `json:"labels,omitempty"`
	NamespaceName string            `json:"namespace_name,omitempty"`
	PodID         string            `json:"pod_id,omitempty"`
	PodName       string            `json:"pod_name,omitempty"`
	PodOwners     map[string]string `json:"pod_owners,omitempty"`
	ServiceName   string            `json:"service_name,omitempty"`
}

// kubernetes makes the label's value of the other labels. ok is false when they are not of a pod or container.
func kubernetes(get func(string) string) (value string, ok bool) {
	if kind := get("Type"); kind != "Pod" && kind != "Container" {
		return "", false
	}
	object := func(pairs ...string) map[string]string {
		m := make(map[string]string)
		for i := 0; i < len(pairs); i += 2 {
			if v := get(pairs[i+1]); v != "" {
				m[pairs[i]] = v
			}
		}
		return m
	}
	text, err := json.Marshal(kubernetesLabel{
		ContainerName: get("container"),
		Docker:        object("container_id", "container_id"),
		Host:          get("NodeName"),
		Labels:        object("app", "app", "pod-template-hash", "pod-template-hash"),
		NamespaceName: get("Namespace"),
		PodID:         get("PodId"),
		PodName:       get("PodName"),
		PodOwners:     object("owner_kind", "owner_kind", "owner_name", "owner_name"),
		ServiceName:   get("Service"),
	})
	return string(text), err == nil
}
