// SPDX-License-Identifier: Apache-2.0

import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.RetryOneTime;
import org.apache.curator.x.discovery.ServiceDiscovery;
import org.apache.curator.x.discovery.ServiceDiscoveryBuilder;
import org.apache.curator.x.discovery.ServiceInstance;
import org.apache.curator.x.discovery.details.JsonInstanceSerializer;
import org.springframework.cloud.zookeeper.discovery.ZookeeperInstance;

/** Looks one service up through Curator, as Spring Cloud Zookeeper does, and prints a line for each instance. */
class CuratorReader {
	public static void main(String[] arguments) throws Exception {
		try (CuratorFramework client = CuratorFrameworkFactory.newClient(arguments[0], new RetryOneTime(100))) {
			client.start();
			ServiceDiscovery<ZookeeperInstance> discovery = ServiceDiscoveryBuilder.builder(ZookeeperInstance.class)
				.client(client).basePath(arguments[1])
				.serializer(new JsonInstanceSerializer<>(ZookeeperInstance.class)).build();
			for (ServiceInstance<ZookeeperInstance> one : discovery.queryForInstances(arguments[2])) {
				System.out.println(String.join(" ", one.getId(), one.buildUriSpec(), one.getServiceType().toString(),
					one.getPayload().getId(), one.getPayload().getMetadata().get("instance_status")));
			}
		}
	}
}
