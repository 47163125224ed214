// SPDX-License-Identifier: Apache-2.0

package org.springframework.cloud.zookeeper.discovery;

import java.util.HashMap;
import java.util.Map;

/** A stand-in for Spring's class of this name: what is in a payload decides its type by name. */
public class ZookeeperInstance {
	private String id;
	private String name;
	private Map<String, String> metadata = new HashMap<>();

	public String getId() {
		return id;
	}

	public void setId(String id) {
		this.id = id;
	}

	public String getName() {
		return name;
	}

	public void setName(String name) {
		this.name = name;
	}

	public Map<String, String> getMetadata() {
		return metadata;
	}

	public void setMetadata(Map<String, String> metadata) {
		this.metadata = metadata;
	}
}
